/** Gives each node its part of the pods' addresses. Source: kubernetes `pkg/controller/nodeipam`, its range allocator. */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import type { Node } from '../../api/core/v1/types.gen.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { BlockPool } from './block-pool.ts'

export const nodeIpamController = defineController({
  name: 'node-ipam-controller',
  component: 'cidrAllocator',
  /** One after the other, so that no two nodes are given the same. */
  workers: 1,
  create({ client, informers, events, options: { clusterCidr, nodeCidrMaskSize } }) {
    if (clusterCidr === undefined) return null
    const pool = new BlockPool(clusterCidr, nodeCidrMaskSize)
    const nodes = informers.for(nodeKind)
    /** By uid of the node: given, and not yet seen on it. */
    const given = new Map<string, string>()

    /** What a node that goes gives back may be what another one waits for. */
    const changed = (change: Change<Node>): string[] => {
      const { type, object } = change
      if (type === 'delete' || blocksOf(object).length > 0) given.delete(object.metadata.uid)
      if (type !== 'delete') return itself(change)
      return nodes.list().flatMap((node) => (blocksOf(node).length === 0 ? node.metadata.name : []))
    }

    return {
      watches: [watch(nodes, changed)],
      async reconcile(name) {
        const node = nodes.get(undefined, name)
        if (!node || isBeingDeleted(node) || blocksOf(node).length > 0) return undefined
        const { uid } = node.metadata
        const block = given.get(uid) ?? pool.take([...nodes.list().flatMap(blocksOf), ...given.values()])
        if (block === null) {
          events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
          return undefined
        }
        given.set(uid, block)
        const body = { metadata: { uid }, spec: { podCIDR: block, podCIDRs: [block] } }
        await client.patch(nodeKind, { name }, { type: 'merge', body })
        return undefined
      },
    }
  },
})

function blocksOf({ spec }: Node): readonly string[] {
  return spec.podCIDRs ?? []
}
