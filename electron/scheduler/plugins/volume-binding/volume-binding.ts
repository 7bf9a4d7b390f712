import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { ACTION } from '../../framework/events.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { errorStatus, SKIP, unresolvable } from '../../framework/status.ts'
import { moreRoom, otherTopologies, ownClaim, roomIgnored } from '../../matching/volume-hints.ts'
import { AssumedVolumes } from './assumed-volumes.ts'
import { bindVolumes } from './bind-volumes.ts'
import { volumesOn, type NodeVolumes } from './node-volumes.ts'
import { claimEvidence, PLUGIN as name, podClaims, type PodClaims } from './pod-claims.ts'

interface State extends PodClaims {
  /** What Filter found for each node, for Reserve. */
  readonly byNode: Map<string, NodeVolumes>
}

interface Args {
  /** How long claims may take to be bound. */
  readonly bindTimeoutSeconds: number
}

const key = stateKey<State>(name)
const CONFLICT = ["node(s) didn't match PersistentVolume's node affinity"]
const LOST = ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)']
const NO_ROOM = ['node(s) did not have enough free storage']
const NOT_FOUND = ['node(s) did not find available persistent volumes to bind']

/**
 * The nodes that reach the volumes of the pod's claims. Claims that wait for a pod get a volume that is there, or have one made, where
 * the pod is placed; the pod is bound when they are.
 */
export const volumeBinding = definePlugin<Args>({
  name,
  defaults: { bindTimeoutSeconds: 600 },
  create(args, handle): AnyPlugin {
    const assumed = new AssumedVolumes()
    return {
      name,
      events: [
        { event: { resource: 'PersistentVolumeClaim', action: ACTION.add | ACTION.updateOther }, hint: ownClaim },
        { event: { resource: 'PersistentVolume', action: ACTION.add | ACTION.updateOther } },
        { event: { resource: 'StorageClass', action: ACTION.add | ACTION.updateOther }, hint: otherTopologies },
        { event: { resource: 'CSIDriver', action: ACTION.add | ACTION.updateOther }, hint: roomIgnored },
        { event: { resource: 'CSIStorageCapacity', action: ACTION.add | ACTION.updateOther }, hint: moreRoom },
        { event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeLabel } },
      ],
      preFilter({ state, snapshot }, { pod }) {
        const claims = podClaims(pod, snapshot.objects)
        if (!claims) return SKIP
        if ('code' in claims) return claims
        state.write(key, { ...claims, byNode: new Map() })
        return null
      },
      filter({ state, snapshot }, _pod, node) {
        const { bound, lost, open, byNode } = state.read(key)
        if (lost.length > 0) return unresolvable(name, LOST, lost.map(claimEvidence))
        const outOfReach = bound.filter(({ nodes }) => nodes && !nodes.matches(node))
        if (outOfReach.length > 0) {
          const evidence = outOfReach.map(({ claim, volume }) => ({ type: 'volume', claim, volume }) as const)
          return unresolvable(name, CONFLICT, evidence)
        }
        if (open.length === 0) return null
        const volumes = volumesOn(node, open, snapshot.objects, assumed)
        if (!('found' in volumes)) {
          const { without, noRoom } = volumes
          const reasons = [...(without.length > 0 ? NOT_FOUND : []), ...(noRoom.length > 0 ? NO_ROOM : [])]
          return unresolvable(name, reasons, [...without, ...noRoom].map(claimEvidence))
        }
        byNode.set(node.name, volumes)
        return null
      },
      reserve({ state }, _pod, node) {
        const volumes = state.find(key)?.byNode.get(node)
        if (volumes) assumed.promise(volumes)
        return null
      },
      unreserve({ state }, _pod, node) {
        const volumes = state.find(key)?.byNode.get(node)
        if (volumes) assumed.revoke(volumes)
      },
      async preBind({ state, snapshot }, { pod }, nodeName, signal) {
        const volumes = state.find(key)?.byNode.get(nodeName)
        const node = snapshot.node(nodeName)
        if (!volumes || !node) return null
        try {
          const timeout = args.bindTimeoutSeconds * 1000
          await bindVolumes({ volumes, node, pod, objects: snapshot.objects, timeout }, handle, signal)
          return null
        } catch (error) {
          return errorStatus(name, error, 'binding volumes')
        }
      },
    }
  },
})
