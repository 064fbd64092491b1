export const usage = `npm run chaos -- [options]

Starts the shop as separate processes on a Kafka and a PostgreSQL of its own, lets clients order, breaks things, and looks
afterwards, in the databases and in the broker's files alone, whether anything was lost, done twice or out of order.

  --scenario <name>   only this one, by its name or the letter of its fault; may be given again   (default: all)
  --seed <text>       what chance is drawn from; the same seed gives the same schedule            (default: a new one)
  --minutes <number>  goes on with rounds of all scenarios for this long                          (default: one round)
  --list              what scenarios there are
  --json              results as JSON on standard output
  --data <folder>     where history, logs and data go, and stay                                   (default: a temporary one)

Exit code 0: every promise was kept. 1: not. 2: wrong usage. 130: interrupted.

  npm run chaos -- --scenario broker-killed --seed 7
  npm run chaos -- --minutes 20`
