import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

for (const [mark, file] of [
  ['quickstart', 'examples/quickstart/main.ts'],
  ['with-database', 'examples/quickstart/with-database.ts'],
])
  test(`the README's program "${mark}" is the file it names`, () => {
    const program = new RegExp(`<!-- ${mark} -->\\n\`\`\`ts\\n([\\s\\S]*?)\`\`\`\\n<!-- /${mark} -->`).exec(readme)?.[1]
    expect(program).toBe(readFileSync(join(root, `${file}`), 'utf8'))
  })

/** The rows of "what happens when", and the test that shows each. */
const shownBy: readonly (readonly [row: string, test: string])[] = [
  [
    'A service crashes after its transaction committed, before anything was sent',
    'sends what was committed, byte for byte, and removes it',
  ],
  ['The transaction rolls back', 'keeps the messages when it commits, and none when it does not'],
  [
    'A transaction that began earlier commits later',
    'a row whose transaction commits after a later row was relayed is relayed all the same',
  ],
  [
    "A relay dies between the broker's acknowledgement and its own note of it",
    'while a send is under way cannot remove anything; its successor repeats the same bytes and loses none',
  ],
  ['A relay freezes', 'because it is frozen loses its share after the lease; awake again, it can remove nothing'],
  [
    'Some records of a send are acknowledged and some are not',
    'after a partial send removes the acknowledged prefix of each key only, and sends the rest again in order',
  ],
  [
    'The broker is down while events are published through the outbox',
    'that cannot reach the broker keeps everything, sets nothing aside, and goes on by itself',
  ],
  [
    'A row can never be sent: too large, no such topic',
    'is set aside and listed with its error; other keys flow and its own key waits in order',
  ],
  [
    'The broker writes, and its answer is lost',
    'a lost produce response loses nothing and keeps the order of first copies',
  ],
  ['The broker is killed and comes back', 'sends and consuming outlive a broker that is killed and comes back'],
  ['The broker is not there at start', 'a broker that is not there yet is waited for, with a status for each attempt'],
  [
    'The database is not there at start, or goes away',
    'a service waits for a database that is not there, says so, and goes on by itself',
  ],
  ['A topic is missing', 'a subscription names the topic that is missing, and begins by itself when it is there'],
  ['The same event is delivered again', 'has its effect once, with everything it sent through the outbox'],
  [
    'Two copies of an event are handled at the same time',
    'while its first copy is still being handled waits for that one to end',
  ],
  ['The answer to COMMIT is lost', 'after it was committed but nobody heard of it is a duplicate'],
  ['A handler throws', 'a failing handler is tried again with growing waits; health says so until it succeeds'],
  ['A handler hangs', 'after its handler was given up is handled again, and the one given up can never commit'],
  [
    'A record cannot be read, is null, or is of an unknown type',
    'records that cannot be read stop nothing, and the offset passes them only once they are set aside',
  ],
  ['Setting a record aside fails', 'a record that cannot be set aside is tried again, and the offset waits for it'],
  [
    'The schema registry is down',
    'while the registry is down nothing is set aside, and the records are handled once it is back',
  ],
  [
    'A record names a schema that the registry does not have, or was cut',
    'a record that no registry knows and one that was cut are set aside, and the next ones are handled',
  ],
  [
    'A record of an older version arrives, or in another format',
    'old and new records in JSON and Avro reach the handler as the version it knows',
  ],
  [
    'A service starts before its schemas are registered',
    'a service whose schemas are not registered does not start, and says which; once they are, it does',
  ],
  ['One of the events that share a transaction fails', 'one handler that fails fails alone'],
  [
    'A handler is slow, or waits for a lock, while others share its transaction',
    'a group that meets a locked row is given up at once, and only who needs the row waits',
  ],
  [
    'A process dies between a call to the outside and the commit',
    'when recording fails the call is made again under the same key, and its effect is one',
  ],
  ['Partitions move to another member', 'a member that joins takes over without a record lost or handled twice'],
  ['A member hangs', 'a member that shows no progress for stallMs loses its partitions to the others'],
  [
    'Records are deleted before a group has read them',
    'records that are gone stop their partition instead of being skipped',
  ],
  [
    'A service gets SIGTERM under load',
    'a part that is told to end while orders flow exits with 0 in time, loses nothing and does nothing twice',
  ],
  [
    'A service gets SIGKILL under load and is started again',
    'a part that is killed while orders flow is started again: every order ends, once, and the books agree',
  ],
]

describe('what happens when', () => {
  const table = /<!-- what-happens-when -->([\s\S]*?)<!-- \/what-happens-when -->/.exec(readme)?.[1] ?? ''
  const rows = [...table.matchAll(/^\| \[(.+?)\]\((.+?)\) \|/gm)].map(([, row = '', file = '']) => ({ row, file }))

  test('has the rows that are known to be shown by a test', () => {
    expect(rows.map(({ row }) => row)).toEqual(shownBy.map(([row]) => row))
  })

  for (const { row, file } of rows) {
    test(`${row}: the file it leads to has the test`, () => {
      const name = shownBy.find(([known]) => known === row)?.[1] ?? ''
      expect(readFileSync(join(root, file), 'utf8')).toContain(name)
    })
  }
})
