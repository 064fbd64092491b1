import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CommandSpec, exitCodes } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { confirm } from '../confirm.ts'
import { readTree } from '../connect.ts'
import { count } from '../count.ts'
import { yesOption } from '../global-options.ts'
import { withKafka } from '../with-kafka.ts'
import { allowDataLossOption } from './topics-plan.ts'

export const topicsApply: CommandSpec = {
  path: 'topics apply',
  summary: 'make the topics of the cluster as the contracts say',
  description: `Prints the plan of evt topics plan, asks, and does exactly that; without a terminal it needs --yes. When the
cluster has changed since the plan was printed, nothing is done. What is refused stays as it is, and the exit code is then 3.`,
  args: [['[plan]', 'a plan written by evt topics plan --out; by default a new one is made']],
  options: [allowDataLossOption(), yesOption()],
  examples: [
    ['evt topics apply', 'Shows the plan and asks before doing it.'],
    ['evt topics apply plan.json --yes', 'Does what was written down, if the cluster is still as it was then.'],
  ],
  async run(invocation) {
    const { output, options, settings, args, signal } = invocation
    const { printTopicPlan } = await import('../topic-plan-view.ts')
    const { applyTopicPlan, planTopics } = await import('@evtkit/sdk/topics')
    const saved = args[0] === undefined ? undefined : await readPlan(args[0])
    if (saved !== undefined && options.allowDataLoss === true)
      throw new CommandError('a written plan says itself what it permits', {
        exitCode: exitCodes.usage,
        next: 'evt topics plan --allow-data-loss --out <file>',
      })
    const wanted = saved === undefined ? (await readTree(await settings())).topics : []
    return withKafka(invocation, async (kafka) => {
      const { clusterId: cluster } = await kafka.describeCluster()
      const allowDataLoss = options.allowDataLoss === true
      const plan = saved ?? (await planTopics({ admin: kafka, wanted, allowDataLoss, cluster }))
      printTopicPlan(plan, output)
      const todo = plan.steps.filter(({ action }) => action === 'create' || action === 'change').length
      const refused = plan.steps.filter(({ action }) => action === 'refuse').length
      if (todo === 0) output.note(refused === 0 ? 'Nothing to do.' : 'Nothing that can be done.')
      else if (await confirm(`Create or change ${count(todo, 'topic')}?`, invocation))
        await applyTopicPlan({
          admin: kafka,
          plan,
          cluster,
          signal,
          onApplied: (step) => {
            output.record({ applied: step.topic, action: step.action })
            output.note(`${step.action === 'create' ? 'created' : 'changed'} ${step.topic}`)
          },
        })
      else {
        output.note('Nothing was done.')
        return exitCodes.failed
      }
      return refused === 0 ? exitCodes.ok : exitCodes.checkFailed
    })
  },
}

async function readPlan(file: string) {
  const { parseTopicPlan } = await import('@evtkit/sdk/topics')
  const path = resolve(file)
  let document: unknown
  try {
    document = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new CommandError(`the plan ${path} cannot be read`, { cause, next: 'evt topics plan --out <file>' })
  }
  return parseTopicPlan(document)
}
