import type { Scenario } from '../scenario.ts'
import { commitAnswerLost, offsetCommitLost, produceAnswerLost } from './answers.ts'
import { brokerFrozen, brokerKilled, databaseStopped } from './servers.ts'
import { servicesFrozen, servicesKilled, servicesToldToEnd } from './services.ts'

/** Every scenario there is. */
export const scenarios: readonly Scenario[] = [
  brokerKilled,
  servicesKilled,
  servicesFrozen,
  databaseStopped,
  produceAnswerLost,
  servicesToldToEnd,
  offsetCommitLost,
  commitAnswerLost,
  brokerFrozen,
]
