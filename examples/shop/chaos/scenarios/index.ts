import type { Scenario } from '../scenario.ts'
import { commitAnswerLost, offsetCommitLost, produceAnswerLost } from './answers.ts'
import { connectionsHalfOpen } from './connections.ts'
import { databaseReadOnly, locksAndLimits } from './database.ts'
import { endWithHungHandler, handlerOutlivesSession } from './handlers.ts'
import { historyTruncated } from './history-truncated.ts'
import { hugeRecords } from './huge-records.ts'
import { membersComeAndGo, twoOfEverything } from './members.ts'
import { poisonRecords, recordsRepeated } from './records.ts'
import { brokerFrozen, brokerKilled, databaseStopped } from './servers.ts'
import { servicesFrozen, servicesKilled, servicesToldToEnd } from './services.ts'
import { crashAtEachStep } from './steps.ts'

/** Every scenario there is. */
export const scenarios: readonly Scenario[] = [
  crashAtEachStep,
  servicesKilled,
  servicesToldToEnd,
  servicesFrozen,
  brokerKilled,
  brokerFrozen,
  produceAnswerLost,
  offsetCommitLost,
  connectionsHalfOpen,
  databaseStopped,
  commitAnswerLost,
  locksAndLimits,
  databaseReadOnly,
  membersComeAndGo,
  recordsRepeated,
  poisonRecords,
  hugeRecords,
  twoOfEverything,
  handlerOutlivesSession,
  endWithHungHandler,
  historyTruncated,
]

/** Those that every test run has time for. */
export const shortForm: readonly Scenario[] = [
  brokerKilled,
  servicesKilled,
  servicesFrozen,
  databaseStopped,
  produceAnswerLost,
  recordsRepeated,
  poisonRecords,
]
