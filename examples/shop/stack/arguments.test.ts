import { expect, test } from 'vitest'
import { defaultGraceMs, parseArguments } from './arguments.ts'
import { UsageError } from './stack-error.ts'

const complaint = (...argv: string[]) => {
  try {
    parseArguments(argv)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'no complaint'
}

test('every command is read with its defaults', () => {
  expect(parseArguments(['up'])).toEqual({ command: 'up', ports: {} })
  expect(parseArguments(['status'])).toEqual({ command: 'status', json: false })
  expect(parseArguments(['down'])).toEqual({ command: 'down', clean: false, graceMs: defaultGraceMs })
  expect(parseArguments(['restart', 'orders'])).toEqual({
    command: 'restart',
    member: 'orders',
    graceMs: defaultGraceMs,
  })
  expect(parseArguments(['kill', 'kafka'])).toEqual({ command: 'kill', member: 'kafka', signal: 'SIGKILL' })
  expect(parseArguments(['order'])).toEqual({ command: 'order', count: 20, json: false })
})

test('the values of flags are read', () => {
  expect(parseArguments(['up', '--gateway-port', '8080', '--kafka-port=9092', '--data', '/tmp/s'])).toEqual({
    command: 'up',
    data: '/tmp/s',
    ports: { gateway: 8080, kafka: 9092 },
  })
  expect(parseArguments(['down', '--clean', '--grace', '0'])).toEqual({ command: 'down', clean: true, graceMs: 0 })
  expect(parseArguments(['order', '--count', '500', '--rate', '50', '--json'])).toEqual({
    command: 'order',
    count: 500,
    ratePerSecond: 50,
    json: true,
  })
})

test('the codec comes from its flag, else from the environment, else from the last time', () => {
  expect(parseArguments(['up', '--codec', 'avro'], { SHOP_CODEC: 'json' })).toMatchObject({ codec: 'avro' })
  expect(parseArguments(['up'], { SHOP_CODEC: 'avro' })).toMatchObject({ codec: 'avro' })
  expect(complaint('up', '--codec', 'xml')).toBe('--codec is json or avro, not "xml".')
})

test('a signal may be written short and in small letters', () => {
  expect(parseArguments(['kill', 'orders', '--signal', 'term'])).toMatchObject({ signal: 'SIGTERM' })
})

test('ports and the folder come from the environment when no flag names them', () => {
  const environment = { STACK_PORT_GATEWAY: '8080', STACK_PORT_MAIL_SINK: '8025', STACK_DATA: '/tmp/s' }
  expect(parseArguments(['up', '--gateway-port', '9090'], environment)).toEqual({
    command: 'up',
    data: '/tmp/s',
    ports: { gateway: 9090, 'mail-sink': 8025 },
  })
})

test('help is given on request, with any command', () => {
  expect(parseArguments(['--help'])).toEqual({ command: 'help' })
  expect(parseArguments(['down', '-h'])).toEqual({ command: 'help' })
})

test('what does not exist is refused by name', () => {
  expect(complaint()).toBe('A command is missing.')
  expect(complaint('upp')).toBe('There is no command "upp".')
  expect(complaint('up', '--wait')).toBe("Unknown option '--wait'.")
  expect(complaint('status', '--clean')).toBe('"status" takes no --clean.')
  expect(complaint('up', 'orders')).toBe(
    '"up" does not know what to do with "orders". Options need a -- before them: npm run stack -- up --option orders',
  )
  expect(complaint('kill')).toMatch('"kill" needs the name of a part: one of kafka, postgres')
  expect(complaint('kill', 'order')).toMatch('There is no part "order"; expected one of')
  expect(complaint('kill', 'orders', '--signal', 'SIGSEGV')).toMatch('--signal is one of SIGKILL')
  expect(complaint('order', '--count', 'many')).toBe('--count is a whole number from 1 to 1000000, not "many".')
  expect(complaint('order', '--count', '0')).toMatch('from 1')
  expect(complaint('up', '--gateway-port', '70000')).toBe(
    '--gateway-port is a whole number from 1 to 65535, not "70000".',
  )
})
