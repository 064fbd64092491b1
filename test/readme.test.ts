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
  [
    'Ids are drawn and rolled back by the thousand',
    'and never used, a thousand of them, hold nothing up: the next row is relayed as ever',
  ],
  [
    'A transaction stays open for hours, in this database or another of the server',
    '%s stalls nobody: later rows are relayed, to the last one',
  ],
  ['Two relays meet at one key', 'keeps its order though two relays share the work and the one that has it is slow'],
  ['A row of a key fails for now', 'waits behind its failed row, while other keys flow'],
  [
    'A relay is killed in the middle of a batch',
    'in the middle of a batch of a thousand: nothing is missing, and no more than the batch is repeated',
  ],
  [
    'A relay is killed and started again, and again',
    'is succeeded within its lease and a poll; three idle restarts after that send nothing',
  ],
  [
    "A relay's line to the database is cut without a word",
    'a relay whose line to the database is cut without a word says so, and goes on by itself within its bound',
  ],
  [
    'Events pass through the outbox for years',
    'the table stays as small as its largest backlog however many rows pass, and nothing unsent is removed',
  ],
  ['A consumer is killed at any step of handling', '%s, again and again, applies each event once and in order'],
  [
    'An event hangs while later ones finish, and the process is killed',
    'while one event hangs and later ones have finished has that one again, and no offset beyond it',
  ],
  ['Topics have equal keys', 'equal keys of different topics are different keys, whoever joins and leaves meanwhile'],
  [
    'The log has holes, from transactions of other clients',
    'holes in the offsets, left by transactions of another client, are no gap: lag ends at 0 and what was aborted is not seen',
  ],
  ['Two groups share a database', 'has an effect of its own in each group, and in each handler of another name'],
  ['An inbox would forget too early', 'a retry span that is longer than the inbox remembers is refused at start'],
  [
    'An event fails time after time, with a parking',
    'a failed event is tried again; what follows on its key waits behind it and is handled in order',
  ],
  [
    'Records of a parked key keep arriving, and instances come and go',
    'keeps the order of every key across instances that come and go',
  ],
  ['A parked event is given up', 'stops a key at an event it gives up, or goes on without it, as its handler says'],
  ['Too many events are parked', 'holds back what exceeds its limits, and loses nothing'],
  [
    'A process dies at any step of parking',
    '%s, loses nothing, applies each event once and keeps the order of the keys',
  ],
  [
    'An instance that works off a parked key freezes',
    'is lost by an instance that freezes; awake again it changes nothing, and another has drained in order',
  ],
  [
    'A failed event cannot be stored',
    'with its store down moves no offset past an event it cannot park, says so, and goes on by itself',
  ],
  ['A dead letter is redriven', 'a redrive reaches the group that failed and no other'],
  ['A redrive is run twice at once', 'a redrive that is run many times at once does each event once'],
  ['A redriven event fails again', 'an event that still fails after five redrives is one dead letter'],
  [
    'An event fails time after time, without a database',
    'each event has its attempts, one per tier, and what fails in all of them is a dead letter',
  ],
  [
    'Members come and go while events wait in retry topics',
    'members that come and go while events wait in each tier lose none, and every partition goes on',
  ],
  ['Something a handler depends on is down', 'counts for nothing, pauses all, is probed and ends by itself'],
  [
    'The database falls silent, with the connection open',
    'falls silent pauses, names the part, counts no attempt, moves no offset, and goes on when it answers again',
  ],
  [
    'The database takes no writes, or was not migrated',
    'takes no writes any more waits with a reason, and goes on once it does',
  ],
  ['No connection is free', 'has no free connection for it calls that an outage, not a failed event'],
  [
    'A process is frozen in the middle of a transaction',
    'keeps another member from its event no longer than its bound, and cannot commit once it wakes',
  ],
  [
    'A handler ignores its signal',
    'a handler that ignores its signal counts as lost after a second deadline, and its event is taken over',
  ],
  ['Commits of offsets fail for minutes', 'two members go on, and the offsets arrive when commits are answered again'],
  ['A joining of the group is lost on the way', 'joins again, and its records are handled'],
  ["The computer's clock jumps", 'this driver notices, joins again under the new time and goes on'],
  [
    'A batch is compressed by what is not installed',
    'this driver stops its partition with an alarm that says where and what to install; others go on',
  ],
  [
    'A process gets SIGTERM while a handler hangs, or gets it twice',
    'while a handler hangs ends by its deadline with 1, and the offset has not moved',
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

test('the table of the client under fault is that of its page, whose rows are bound to their tests', () => {
  const table = (text: string) =>
    /<!-- driver-under-fault -->([\s\S]*?)<!-- \/driver-under-fault -->/.exec(text)?.[1]?.replaceAll('](../', '](')
  expect(table(readme)).toBeDefined()
  expect(table(readme)).toBe(table(readFileSync(join(root, 'docs/driver-under-fault.md'), 'utf8')))
})
