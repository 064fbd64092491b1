export const usage = `Usage: npm run stack -- <command> [options]

Runs the shop as it runs in production: one operating-system process for each
service, on a real Kafka and a real PostgreSQL.

Commands:
  up                     start what does not run yet; twice is harmless
      --gateway-port N     port of the gateway (else STACK_PORT_GATEWAY, else a free one)
      --kafka-port N       port of Kafka, when it is started here
      --postgres-port N    port of PostgreSQL, when it is started here
      --codec NAME         what events are written as: json or avro (else SHOP_CODEC,
                           else as the last time, at first json)
      --registry-port N    port of the schema registry, when it is started here
  status                 a table of all parts: process id, port, health, log file
      --json               the same as one JSON object
  order                  send orders through the gateway and wait for their ends
      --count N            how many (default 20)
      --rate N             orders per second (default as fast as they are taken)
      --json               last line one JSON object
  kill <part>            send a signal to a part
      --signal NAME        SIGKILL (default), SIGTERM, SIGINT, SIGSTOP, SIGCONT
  restart <part>         end a part in an orderly way if it runs, and start it
      --grace MS           how long its end may take (default 15000)
  down                   stop everything
      --grace MS           how long each end may take before SIGKILL (default 15000)
      --clean              remove what the stack wrote, logs included

Parts: kafka, postgres, registry, mail-sink, payment-provider, gateway, orders, inventory,
payments, shipping, notifications.

Options of all commands:
      --data DIR           folder of the stack (else STACK_DATA, else .evtkit/stack)
  -h, --help               print this text

Servers: KAFKA_BROKERS, DATABASE_URL and SCHEMA_REGISTRY_URL name existing ones,
which are used and never stopped. Otherwise they are started here, the registry
only with --codec avro. The port of any part is named by
STACK_PORT_<PART>, for example STACK_PORT_MAIL_SINK; others are free ones.

Exit codes:
  0    done; for status: everything is ready; for order: all ended, the books agree
  1    failed; for status: something is not ready
  2    wrong usage
  130  interrupted

Results go to standard output, progress and errors to standard error.
`
