import type { Colors } from 'picocolors/types.js'
import { forPeople } from './servers.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'
import { stackFolder } from './stack-folder.ts'

/** What to try on a stack that is up. */
export function welcome(stack: Stack, colors: Colors): string {
  const gateway = stack.state.part('gateway')?.port
  const mails = stack.state.part('mail-sink')?.port
  if (gateway === undefined || mails === undefined) throw new StackError('The stack is not up.')
  const data = stack.folder.path === stackFolder().path ? '' : ` --data ${stack.folder.path}`
  const run = (command: string) => `npm run stack -- ${command}${data}`
  const url = `http://127.0.0.1:${gateway}`
  const { kafka, postgres, registry } = stack.state.state
  const schemas = registry === undefined ? '' : ` SCHEMA_REGISTRY_URL=${forPeople(registry.address)}`
  return `
${colors.bold('The shop is open at')} ${colors.cyan(url)}

  curl -i ${url}/orders -H 'content-type: application/json' -H "idempotency-key: $(date +%s%N)" \\
       -d '${exampleOrder}'
  curl ${url}/orders/<id>

  ${colors.cyan(`http://127.0.0.1:${mails}/`)}  the mails it sent

  KAFKA_BROKERS=${kafka?.address} DATABASE_URL=${postgres === undefined ? undefined : forPeople(postgres.address)}${schemas}

  ${run('order --count 100')}
  ${run('status')}
  ${run('kill orders')} && ${run('restart orders')}
  ${run('down')}`
}

const exampleOrder = JSON.stringify({
  customerId: 'ada',
  email: 'ada@example.org',
  cardToken: 'tok_ok',
  lines: [{ sku: 'mug', quantity: 2 }],
  shippingAddress: { name: 'Ada', street: 'Ring 1', city: 'Ghent', postalCode: '9000', country: 'BE' },
})
