import { AssignerProtocol, type Assignment, type Cluster, type PartitionAssigner } from 'kafkajs'
import { assignPartitions, type SubscribedMember } from './subscription-aware-assignment.ts'

/** The name by which the members of a group agree on how partitions are divided; changing it splits a running group. */
const assignerName = 'evtkit-subscription-aware'

/** Divides partitions by what each member subscribes to. `meet` is given the cluster of the consumer that is being made. */
export function subscriptionAwareAssigner(meet: (cluster: Cluster) => void): PartitionAssigner {
  return ({ cluster }) => {
    meet(cluster)
    return {
      name: assignerName,
      version: 0,
      protocol: ({ topics }) => ({
        name: assignerName,
        metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
      }),
      async assign({ members }) {
        const subscribed: SubscribedMember[] = members.map(({ memberId, memberMetadata }) => ({
          id: memberId,
          topics: AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
        }))
        // The leader knows the partitions of its own topics only; those of the others must be learned first.
        await cluster.addMultipleTargetTopics([...new Set(subscribed.flatMap((member) => member.topics))])
        const partitionsOf = (topic: string) =>
          cluster.findTopicPartitionMetadata(topic).map((partition) => partition.partitionId)
        return Array.from(assignPartitions(subscribed, partitionsOf), ([memberId, partitions]) => {
          const assignment: Assignment = {}
          for (const { topic, partition } of partitions) {
            const own = assignment[topic] ?? []
            own.push(partition)
            assignment[topic] = own
          }
          return {
            memberId,
            memberAssignment: AssignerProtocol.MemberAssignment.encode({
              version: 0,
              assignment,
              userData: Buffer.alloc(0),
            }),
          }
        })
      },
    }
  }
}
