import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { readTree } from '../connect.ts'
import { withKafka } from '../with-kafka.ts'

/** For the commands that plan: what deletes records is refused without it. */
export const allowDataLossOption = (): Option =>
  new Option('--allow-data-loss', 'permit changes that delete records: a shorter retention, another cleanup')

export const topicsPlan: CommandSpec = {
  path: 'topics plan',
  summary: 'show what would be done to make the topics of the cluster as the contracts say',
  description: `Compares schemas/topics.yaml with the cluster and changes nothing. Each topic is one of: create, change, refuse
(with the reason: partitions cannot be taken away, records would be deleted), external (somebody else's), or not in the
contracts. Only topics that are as they should be are not listed. Ends with 3 when something is refused.`,
  options: [allowDataLossOption(), new Option('--out <file>', 'write the plan to a file, for evt topics apply <file>')],
  examples: [
    ['evt topics plan', 'Shows the plan for the brokers of the config file.'],
    ['evt topics plan --context prod --out plan.json', 'Writes it down, to be reviewed and applied as it is.'],
  ],
  async run(invocation) {
    const { output, options, settings } = invocation
    const { printTopicPlan } = await import('../topic-plan-view.ts')
    const { planTopics } = await import('@evtkit/sdk/topics')
    const contracts = await readTree(await settings())
    const plan = await withKafka(invocation, async (kafka) => {
      const { clusterId } = await kafka.describeCluster()
      const allowDataLoss = options.allowDataLoss === true
      return planTopics({ admin: kafka, wanted: contracts.topics, allowDataLoss, cluster: clusterId })
    })
    printTopicPlan(plan, output)
    if (typeof options.out === 'string') {
      const path = resolve(options.out)
      writeFileSync(path, `${JSON.stringify(plan, undefined, 2)}\n`)
      output.note(`Written to ${path}; apply it with: evt topics apply ${options.out}`)
    }
    return plan.steps.some(({ action }) => action === 'refuse') ? exitCodes.checkFailed : exitCodes.ok
  },
}
