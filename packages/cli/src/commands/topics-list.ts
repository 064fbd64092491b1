import { type CommandSpec, exitCodes } from '../command.ts'
import { connectKafka } from '../connect.ts'

export const topicsList: CommandSpec = {
  path: 'topics list',
  summary: 'list the topics of the cluster',
  examples: [['evt topics list --brokers localhost:9092', 'Lists the topics with their partitions.']],
  async run({ output, settings }) {
    const kafka = await connectKafka(await settings())
    try {
      const topics = await kafka.listTopics()
      output.table(
        [
          { key: 'name', title: 'topic' },
          { key: 'partitions', title: 'partitions' },
        ],
        topics,
      )
      return exitCodes.ok
    } finally {
      await kafka.close()
    }
  },
}
