import { expect, test } from 'vitest'
import { BrokerUnavailableError, UnreadableBatchError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import type { Delivery } from '../core/message.ts'
import type { Batch, SourceStatus, Verdict } from '../core/transport.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import {
  type Driver,
  type DriverBatch,
  type DriverConsumer,
  type DriverConsumerOptions,
  MembershipLostError,
  type PartitionPosition,
} from './driver.ts'
import { GroupMember } from './group-member.ts'

/** A member whose client is told what to fetch, and remembers what was asked of it. */
function stage(
  handle: (batch: Batch) => Promise<Verdict>,
  maxInFlightBytes?: number,
  historyGap: 'stop' | 'oldest' = 'stop',
) {
  const manual = createManualClock()
  let setBackMs = 0
  const clock = { ...manual, now: () => manual.now() - setBackMs, pendingTimers: () => manual.pending }
  const paused = new Set<string>()
  const commits: string[] = []
  const positions = new Map<string, bigint>()
  const statuses: SourceStatus[] = []
  const ended: Error[] = []
  const log: string[] = []
  let generation = 0
  let client: DriverConsumerOptions | undefined
  let commit: (all: readonly PartitionPosition[]) => Promise<void> = async () => {}
  let heartbeat: () => Promise<void> = async () => {}
  const name = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`
  const consumer: DriverConsumer = {
    start: async () => {},
    pause: (places) => {
      for (const place of places) paused.add(name(place))
    },
    resume: (places) => {
      for (const place of places) paused.delete(name(place))
    },
    seek: ({ offset, ...place }) => void positions.set(name(place), offset),
    close: async () => void log.push('left'),
    abandon: () => void log.push('abandoned'),
  }
  const unused = () => Promise.reject(new Error('not used here'))
  const driver: Driver = {
    consumer: (options) => {
      client = options
      return consumer
    },
    producer: () => {
      throw new Error('not used here')
    },
    admin: {
      describeTopic: unused,
      listTopics: unused,
      describeCluster: unused,
      topicDetails: unused,
      growTopic: unused,
      configureTopic: unused,
      createTopics: unused,
      deleteTopics: unused,
      deleteRecords: unused,
      listGroups: unused,
      members: unused,
      committed: unused,
      setOffsets: unused,
      offsets: async () => [{ partition: 0, low: 12n, high: 20n }],
    },
  }
  const member = new GroupMember({
    driver,
    clock,
    logger: silentLogger,
    subscription: {
      group: 'g',
      topics: ['t'],
      ...(maxInFlightBytes !== undefined && { maxInFlightBytes }),
      stallMs: 5000,
      onStatus: () => {},
      handle,
    },
    heartbeatIntervalMs: 100,
    commitIntervalMs: 1000,
    historyGap,
    rebalanceTimeoutMs: 60_000,
    silenceMs: 3000,
    giveUpMs: 20_000,
    concurrency: 4,
    nextGeneration: () => ++generation,
    tell: (status) => void statuses.push(status),
    ended: (error) => void ended.push(error),
  })
  if (client === undefined) throw new Error('the member made no consumer')
  const joins = client
  const fetch = (partition: number, from: number, count: number): DriverBatch => ({
    topic: 't',
    partition,
    deliveries: Array.from({ length: count }, (_, i) => delivery(partition, BigInt(from + i))),
    end: BigInt(from + count),
    highWatermark: 100n,
    bytes: count * 10,
    isStale: () => false,
    advance: (next) => void positions.set(`t/${partition}`, next),
    commit: async (all) => {
      commits.push(all.map(({ offset, ...place }) => `${name(place)}:${offset}`).join(' '))
      await commit(all)
    },
    heartbeat: async () => {
      log.push('heartbeat')
      await heartbeat()
    },
  })
  return {
    ...{ member, clock, paused, commits, positions, statuses, ended, log, fetch },
    join: (...partitions: number[]) => joins.joined(partitions.map((partition) => ({ topic: 't', partition }))),
    roomBytes: () => joins.roomBytes(),
    beforeJoin: () => joins.beforeJoin(),
    handOver: (batch: DriverBatch) => joins.handle(batch),
    outOfRange: (partition: number, position: bigint) => {
      paused.add(`t/${partition}`)
      return joins.outOfRange({ topic: 't', partition }, position)
    },
    unreadable: (partition: number, offset: bigint) => {
      paused.add(`t/${partition}`)
      joins.unreadable(new UnreadableBatchError({ topic: 't', partition, offset, why: 'no codec' }))
    },
    answered: () => joins.answered(),
    crash: (error: Error) => joins.crashed(error),
    refuseCommits: (error: Error) => {
      commit = () => Promise.reject(error)
    },
    refuseHeartbeats: () => {
      heartbeat = () => Promise.reject(new Error('REBALANCE_IN_PROGRESS'))
    },
    states: () => statuses.map(({ state }) => state),
    setBack: (ms: number) => {
      setBackMs = ms
    },
  }
}

const delivery = (partition: number, offset: bigint): Delivery => ({
  message: { topic: 't', key: null, value: null, headers: [] },
  partition,
  offset,
  group: 'g',
  attempt: 1,
  replay: null,
})

const end = (batch: Batch) => (batch.deliveries.at(-1)?.offset ?? 0n) + 1n
const finishAll = async (batch: Batch): Promise<Verdict> => ({ next: end(batch), retryInMs: 0 })
const untilStopped = async (batch: Batch): Promise<Verdict> => {
  if (!batch.signal.aborted)
    await new Promise((resolve) => batch.signal.addEventListener('abort', resolve, { once: true }))
  return { next: batch.deliveries[0]?.offset ?? 0n, retryInMs: 0 }
}

test('finished batches of all partitions are committed together, at most once an interval', async () => {
  const { join, handOver, fetch, clock, commits, positions } = stage(finishAll)
  join(0, 1)
  await handOver(fetch(0, 0, 3))
  await clock.advance(0)
  expect(commits).toEqual(['t/0:3'])
  await handOver(fetch(0, 3, 3))
  await handOver(fetch(1, 7, 1))
  await clock.advance(900)
  expect(commits).toHaveLength(1)
  await clock.advance(200)
  expect(commits).toEqual(['t/0:3', 't/0:6 t/1:8'])
  expect(positions).toEqual(
    new Map([
      ['t/0', 6n],
      ['t/1', 8n],
    ]),
  )
})

test('what is settled is committed while the batch still runs, and never more', async () => {
  const { join, handOver, fetch, clock, commits } = stage((batch) => {
    batch.settle(2n)
    return untilStopped(batch)
  })
  join(0)
  void handOver(fetch(0, 0, 5))
  await clock.advance(3000)
  expect(commits).toEqual(['t/0:2'])
})

test('behind the last record lie control records, which are finished with it', async () => {
  const { join, handOver, fetch, clock, commits, positions } = stage(finishAll)
  join(0)
  await handOver({ ...fetch(0, 0, 3), end: 5n })
  await clock.advance(0)
  expect(commits).toEqual(['t/0:5'])
  expect(positions.get('t/0')).toBe(5n)
})

test('a verdict short of the end pauses the partition, and its timer resumes it', async () => {
  const { join, handOver, fetch, clock, paused, positions } = stage(async () => ({ next: 1n, retryInMs: 700 }))
  join(0, 1)
  expect(await handOver(fetch(0, 0, 3))).toBe('continue')
  expect(paused).toEqual(new Set(['t/0']))
  expect(positions.get('t/0')).toBe(1n)
  await clock.advance(699)
  expect(paused.size).toBe(1)
  await clock.advance(1)
  expect(paused.size).toBe(0)
})

test('a long batch lets the other partitions be fetched, and is committed when it is finished', async () => {
  const { join, handOver, fetch, clock, paused, positions, commits } = stage(async (batch) => {
    if (batch.partition === 0) await new Promise<void>((resolve) => clock.after(2000, resolve))
    return finishAll(batch)
  })
  join(0, 1)
  const long = handOver(fetch(0, 0, 3))
  await clock.advance(500)
  expect(await long).toBe('continue')
  expect(paused).toEqual(new Set(['t/0']))
  expect(positions.has('t/0')).toBe(false)
  await handOver(fetch(1, 0, 1))
  await clock.advance(1500)
  expect(paused.size).toBe(0)
  expect(positions.get('t/0')).toBe(3n)
  await clock.advance(1000)
  expect(commits).toEqual(['t/1:1', 't/0:3'])
})

test('a partition is never handled twice at once, though it was moved while a long batch ran', async () => {
  let running = 0
  let finish = () => {}
  const { join, handOver, fetch, clock, paused, positions, member } = stage(async (batch) => {
    expect(++running).toBe(1)
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    running--
    return finishAll(batch)
  })
  join(0, 1)
  void handOver(fetch(0, 5, 3))
  await clock.advance(500)
  member.seek({ topic: 't', partition: 0, offset: 1n })
  expect(paused).toEqual(new Set(['t/0']))
  expect(await handOver(fetch(0, 1, 3))).toBe('continue')
  finish()
  await clock.advance(0)
  expect(paused.size).toBe(0)
  expect(positions.get('t/0')).toBe(1n)
})

test('the group is joined again only when long batches have ended too', async () => {
  const { join, beforeJoin, handOver, fetch, clock, commits } = stage(async (batch) => {
    batch.settle(2n)
    await untilStopped(batch)
    return { next: 2n, retryInMs: 0 }
  })
  join(0, 1)
  void handOver(fetch(0, 0, 3))
  await clock.advance(500)
  await beforeJoin()
  expect(commits.at(-1)).toBe('t/0:2')
})

test('nothing the handler throws reaches the client, and the records come again', async () => {
  const { join, handOver, fetch, paused, positions } = stage(async () => {
    throw new TypeError('Cannot read properties of undefined')
  })
  join(0)
  expect(await handOver(fetch(0, 5, 3))).toBe('continue')
  expect(paused).toEqual(new Set(['t/0']))
  expect(positions.has('t/0')).toBe(false)
})

test('heartbeats are sent only while batches run', async () => {
  const { join, handOver, fetch, clock, log } = stage((batch) => {
    clock.after(250, () => batch.settle(1n))
    return new Promise((resolve) => clock.after(350, () => resolve({ next: end(batch), retryInMs: 0 })))
  })
  join(0)
  await clock.advance(1000)
  expect(log).toEqual([])
  const done = handOver(fetch(0, 0, 1))
  await clock.advance(350)
  await done
  await clock.advance(1000)
  expect(log).toEqual(['heartbeat', 'heartbeat', 'heartbeat'])
})

test('the first rejected heartbeat stops every batch, and what is finished is committed before the client goes on', async () => {
  const { join, handOver, fetch, clock, commits, refuseHeartbeats } = stage((batch) => {
    batch.settle((batch.deliveries[0]?.offset ?? 0n) + 1n)
    return untilStopped(batch).then(({ retryInMs }) => ({ next: (batch.deliveries[0]?.offset ?? 0n) + 1n, retryInMs }))
  })
  join(0, 1)
  const both = Promise.all([handOver(fetch(0, 0, 3)), handOver(fetch(1, 0, 3))])
  refuseHeartbeats()
  await clock.advance(100)
  expect(await both).toEqual(['continue', 'continue'])
  expect(commits).toContain('t/0:1 t/1:1')
})

test('a batch without progress ends the vouching for this member', async () => {
  const { join, handOver, fetch, clock, ended, log } = stage(untilStopped)
  join(0)
  const done = handOver(fetch(0, 0, 3))
  await clock.advance(4900)
  expect(ended).toEqual([])
  await clock.advance(200)
  await done
  expect(ended).toMatchObject([{ code: 'EVT_HANDLER_DEADLINE' }])
  const beats = log.length
  await clock.advance(5000)
  expect(log.length).toBe(beats)
})

test('a commit that is refused for a lost membership stops what runs and has the group joined again', async () => {
  const { join, handOver, fetch, clock, refuseCommits } = stage((batch) => {
    batch.settle(1n)
    return untilStopped(batch)
  })
  join(0)
  refuseCommits(new MembershipLostError('UNKNOWN_MEMBER_ID'))
  const done = handOver(fetch(0, 0, 3))
  await clock.advance(10)
  expect(await done).toBe('rejoin')
})

test('a commit that is not answered is sent again, later each time', async () => {
  const { join, handOver, fetch, clock, commits, refuseCommits } = stage(finishAll)
  join(0)
  refuseCommits(new BrokerUnavailableError('away'))
  expect(await handOver(fetch(0, 0, 3))).toBe('continue')
  await clock.advance(3100)
  expect(commits).toEqual(['t/0:3', 't/0:3', 't/0:3'])
})

test('before the group is joined again, running batches end and their offsets are committed', async () => {
  const { join, beforeJoin, handOver, fetch, commits, states } = stage((batch) => {
    batch.settle(2n)
    return untilStopped(batch).then(() => ({ next: 2n, retryInMs: 500 }))
  })
  join(0)
  const done = handOver(fetch(0, 0, 3))
  await beforeJoin()
  expect(await done).toBe('continue')
  expect(commits.at(-1)).toBe('t/0:2')
  expect(states()).toEqual(['running', 'rebalancing'])
})

test('a batch of an earlier assignment neither commits nor moves anything', async () => {
  let finish = () => {}
  const { join, handOver, fetch, clock, commits, positions } = stage(
    (batch) =>
      new Promise((resolve) => {
        finish = () => {
          batch.settle(2n)
          resolve({ next: end(batch), retryInMs: 0 })
        }
      }),
  )
  join(0)
  const done = handOver(fetch(0, 0, 3))
  join(1)
  finish()
  await done
  await clock.advance(2000)
  expect(commits).toEqual([])
  expect(positions.size).toBe(0)
})

test('a batch that was asked for before the group was joined, or the partition moved, is not handled', async () => {
  const handled: number[] = []
  const { join, handOver, fetch, clock, commits } = stage(async (batch) => {
    handled.push(batch.partition)
    return finishAll(batch)
  })
  join(1, 2)
  expect(await handOver(fetch(0, 0, 3))).toBe('continue')
  expect(await handOver({ ...fetch(1, 0, 3), isStale: () => true })).toBe('continue')
  await handOver(fetch(2, 0, 3))
  await clock.advance(2000)
  expect(handled).toEqual([2])
  expect(commits).toEqual(['t/2:3'])
})

test('a client that does not take the end of a batch does not keep the member from leaving', async () => {
  const { join, handOver, fetch, clock, member } = stage(finishAll)
  join(0)
  const advance = () => {
    throw new TypeError("Cannot set properties of undefined (setting '0')")
  }
  expect(await handOver({ ...fetch(0, 0, 3), advance })).toBe('continue')
  let left = false
  void member.leave().then(() => {
    left = true
  })
  await clock.advance(3000)
  expect(left).toBe(true)
})

test('a new assignment cancels what rested under the old one, and raises the generation', async () => {
  const generations: number[] = []
  const { join, handOver, fetch, clock, paused } = stage(async (batch) => {
    generations.push(batch.generation)
    return { next: 0n, retryInMs: 700 }
  })
  join(0)
  await handOver(fetch(0, 0, 3))
  join(0)
  expect(paused.size).toBe(0)
  await handOver(fetch(0, 0, 3))
  await clock.advance(100)
  expect(paused.size).toBe(1)
  expect(generations).toEqual([1, 2])
})

test('records that are gone stop their partition, and the committed offset stays as evidence', async () => {
  const { join, outOfRange, handOver, fetch, clock, statuses, paused, commits, member, positions } = stage(finishAll)
  join(0, 1)
  expect(outOfRange(0, 5n)).toBe(5n)
  await clock.advance(0)
  expect(statuses.at(-1)).toMatchObject({
    state: 'gap',
    error: { code: 'EVT_HISTORY_GAP', topic: 't', partition: 0, committed: 5n, available: 12n },
  })
  await handOver(fetch(1, 0, 1))
  await clock.advance(2000)
  expect(commits).toEqual(['t/1:1'])
  expect(paused).toEqual(new Set(['t/0']))
  member.seek({ topic: 't', partition: 0, offset: 12n })
  expect(paused.size).toBe(0)
  expect(positions.get('t/0')).toBe(12n)
  expect(statuses.at(-1)?.state).toBe('running')
})

test('where records are gone it goes on at the oldest that is left, and says so, when it was told to', async () => {
  const { join, outOfRange, clock, states, paused, positions, commits } = stage(finishAll, undefined, 'oldest')
  join(0, 1)
  outOfRange(0, 5n)
  await clock.advance(0)
  expect(states().slice(-2)).toEqual(['gap', 'running'])
  expect(positions.get('t/0')).toBe(12n)
  expect(paused.size).toBe(0)
  expect(commits).toEqual([])
})

test('a batch that cannot be unpacked stops its partition with its place, until somebody seeks beyond it', async () => {
  const { join, unreadable, handOver, fetch, states, statuses, paused, commits, member, positions, clock } =
    stage(finishAll)
  join(0, 1)
  unreadable(0, 7n)
  expect(statuses.at(-1)).toMatchObject({
    state: 'unavailable',
    error: { code: 'EVT_UNREADABLE_BATCH', topic: 't', partition: 0, offset: 7n },
  })
  await handOver(fetch(1, 0, 1))
  await clock.advance(2000)
  expect(commits).toEqual(['t/1:1'])
  expect([states().at(-1), paused]).toEqual(['unavailable', new Set(['t/0'])])
  member.seek({ topic: 't', partition: 0, offset: 8n })
  expect([states().at(-1), paused.size, positions.get('t/0')]).toEqual(['running', 0, 8n])
})

test('a batch of a partition that is no longer ours and cannot be unpacked is for others to say', () => {
  const { join, unreadable, states } = stage(finishAll)
  join(1)
  unreadable(0, 7n)
  expect(states().at(-1)).toBe('running')
})

test('where a running partition stood counts, when its records disappear under it', async () => {
  const { join, outOfRange, handOver, fetch } = stage(async () => ({ next: 2n, retryInMs: 500 }))
  join(0)
  await handOver(fetch(0, 0, 5))
  expect(outOfRange(0, 0n)).toBe(2n)
})

test('a moved partition forgets the batch that ran, under a generation of its own', async () => {
  const generations: number[] = []
  const { join, handOver, fetch, clock, member, commits, positions } = stage(async (batch) => {
    generations.push(batch.generation)
    await untilStopped(batch)
    return { next: end(batch), retryInMs: 0 }
  })
  join(0)
  const done = handOver(fetch(0, 5, 3))
  member.seek({ topic: 't', partition: 0, offset: 1n })
  await done
  await clock.advance(2000)
  expect(positions.get('t/0')).toBe(1n)
  expect(commits).toEqual(['t/0:1'])
  void handOver(fetch(0, 1, 3))
  expect(generations).toEqual([1, 2])
  expect(() => member.seek({ topic: 't', partition: 7, offset: 1n })).toThrow('t/7 is not assigned')
})

test('a broker that falls silent is told of, and so is its return', async () => {
  const { join, answered, clock, states, ended } = stage(finishAll)
  join(0)
  for (let i = 0; i < 5; i++) {
    await clock.advance(1000)
    answered()
  }
  expect(states()).toEqual(['running'])
  await clock.advance(4000)
  expect(states()).toEqual(['running', 'unavailable'])
  answered()
  expect(states()).toEqual(['running', 'unavailable', 'running'])
  await clock.advance(25_000)
  expect(ended).toHaveLength(1)
})

test('a clock that is set back ends the member, because its client would fall silent', async () => {
  const { join, answered, clock, ended, setBack } = stage(finishAll)
  join(0)
  await clock.advance(1500)
  answered()
  setBack(3_600_000)
  await clock.advance(1000)
  expect(ended).toMatchObject([{ message: "the computer's clock was set back by 3600000 ms" }])
})

test('a long batch is no silence', async () => {
  const { join, handOver, fetch, clock, states } = stage(async (batch) => {
    for (let i = 0; i < 10; i++) {
      await new Promise<void>((resolve) => clock.after(1000, resolve))
      batch.settle(1n)
    }
    return { next: end(batch), retryInMs: 0 }
  })
  join(0)
  const done = handOver(fetch(0, 0, 3))
  await clock.advance(10_000)
  await done
  await clock.advance(2000)
  expect(states()).toEqual(['running'])
})

test('closing stops the batches, commits, and leaves', async () => {
  const { join, handOver, fetch, member, commits, log, clock } = stage(async (batch) => {
    batch.settle(2n)
    return untilStopped(batch)
  })
  join(0)
  const done = handOver(fetch(0, 0, 5))
  await member.close(1000)
  await done
  expect(commits.at(-1)).toBe('t/0:2')
  expect(log.filter((entry) => entry !== 'heartbeat')).toEqual(['left'])
  expect(await handOver(fetch(0, 0, 5))).toBe('continue')
  expect(clock.pendingTimers()).toBe(0)
})

test('closing gives up a handler that does not return by the deadline', async () => {
  const { join, handOver, fetch, member, log, clock } = stage(() => new Promise(() => {}))
  join(0)
  void handOver(fetch(0, 0, 5))
  const closed = member.close(1000).catch((error: unknown) => error)
  await clock.advance(1000)
  expect(await closed).toMatchObject({ code: 'EVT_CLOSE_DEADLINE' })
  expect(log.at(-1)).toBe('abandoned')
  expect(clock.pendingTimers()).toBe(0)
})

test('a client that crashed ends the member once', () => {
  const { join, crash, ended } = stage(finishAll)
  join(0)
  crash(new Error('first'))
  crash(new Error('second'))
  expect(ended).toMatchObject([{ message: 'first' }])
})

test('nothing more is fetched while as much as allowed is in the hands of the handlers', async () => {
  const finish: (() => void)[] = []
  const { join, handOver, fetch, clock, roomBytes } = stage(async (batch) => {
    await new Promise<void>((resolve) => finish.push(resolve))
    return finishAll(batch)
  }, 50)
  join(0, 1)
  expect(await roomBytes()).toBe(50)
  const first = handOver(fetch(0, 0, 3))
  expect(await roomBytes()).toBe(20)
  const second = handOver(fetch(1, 0, 3))
  const waiting = roomBytes()
  await clock.advance(250)
  expect(await waiting).toBe(0)
  const released = roomBytes()
  finish[0]?.()
  await clock.advance(0)
  expect(await released).toBe(20)
  finish[1]?.()
  await Promise.all([first, second, clock.advance(600)])
  expect(await roomBytes()).toBe(50)
})
