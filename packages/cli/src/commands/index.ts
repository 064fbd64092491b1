import type { CommandSpec } from '../command.ts'
import { generateCommand } from './generate.ts'
import { topicsList } from './topics-list.ts'

/** Every command, in the order in which help lists them. */
export const commands: readonly CommandSpec[] = [generateCommand, topicsList]
