import { type CommandSpec, exitCodes } from '../command.ts'
import { readTree } from '../connect.ts'
import { withKafka } from '../with-kafka.ts'

export const topicsCheck: CommandSpec = {
  path: 'topics check',
  summary: 'fail when the topics of the cluster are not as the contracts say',
  description:
    'For pipelines: prints what differs and ends with 3 when something does. External topics and those that are not in the contracts are no difference.',
  examples: [
    ['evt topics check --context prod', 'Ends with 0 when the cluster is as the contracts say, with 3 when it is not.'],
  ],
  async run(invocation) {
    const { output, settings } = invocation
    const { printTopicPlan } = await import('../topic-plan-view.ts')
    const { isSettled, planTopics } = await import('@evtkit/sdk/topics')
    const { topics: wanted } = await readTree(await settings())
    const plan = await withKafka(invocation, (kafka) => planTopics({ admin: kafka, wanted, allowDataLoss: true }))
    const ours = { ...plan, steps: plan.steps.filter(({ action }) => action !== 'unknown') }
    printTopicPlan(ours, output)
    if (isSettled(plan)) return exitCodes.ok
    output.note('The topics are not as the contracts say; evt topics plan shows what can be done.')
    return exitCodes.checkFailed
  },
}
