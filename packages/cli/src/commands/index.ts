import type { CommandSpec } from '../command.ts'
import { asyncapi } from './asyncapi.ts'
import { catalog } from './catalog.ts'
import { completionCommand } from './completion.ts'
import { devDown } from './dev-down.ts'
import { devStatus } from './dev-status.ts'
import { devUp } from './dev-up.ts'
import { doctor } from './doctor.ts'
import { generateCommand } from './generate.ts'
import { init } from './init.ts'
import { schemaCheck } from './schema-check.ts'
import { schemaDiff } from './schema-diff.ts'
import { schemaList } from './schema-list.ts'
import { schemaPush } from './schema-push.ts'
import { schemaShow } from './schema-show.ts'
import { topicsApply } from './topics-apply.ts'
import { topicsCheck } from './topics-check.ts'
import { topicsList } from './topics-list.ts'
import { topicsPlan } from './topics-plan.ts'

/** Every command, in the order in which help lists them. */
export const commands: readonly CommandSpec[] = [
  init,
  generateCommand,
  schemaCheck,
  schemaPush,
  schemaList,
  schemaShow,
  schemaDiff,
  topicsPlan,
  topicsApply,
  topicsCheck,
  topicsList,
  asyncapi,
  catalog,
  doctor,
  devUp,
  devStatus,
  devDown,
  completionCommand,
]
