import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/core/v1/types.gen.ts'
import { controllerOf } from '../../../machinery/object.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { ACTION } from '../../framework/events.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { SKIP, unresolvable, type Status } from '../../framework/status.ts'
import { NodeTerms } from '../../matching/node-selector.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'

interface Bound {
  readonly claim: string
  readonly volume: string
  /** Where the volume can be reached; null: everywhere. */
  readonly nodes: NodeTerms | null
}

interface Claims {
  readonly bound: readonly Bound[]
  /** Claims that name a volume which is not there; and those that wait for a pod before somebody binds them. */
  readonly lost: readonly string[]
  readonly waiting: readonly string[]
}

const name = 'VolumeBinding'
const key = stateKey<Claims>(name)
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
const CONFLICT = ["node(s) didn't match PersistentVolume's node affinity"]
const LOST = ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)']
const NOT_FOUND = ['node(s) did not find available persistent volumes to bind']
const IMMEDIATE = ['pod has unbound immediate PersistentVolumeClaims']

/**
 * The nodes that reach the volumes of the pod's claims. Claims are bound by whoever provides their storage; the plugin binds none, and
 * has a pod wait until that is done.
 */
export const volumeBinding = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    events: [
      { event: { resource: 'PersistentVolumeClaim', action: ACTION.add | ACTION.updateOther } },
      { event: { resource: 'PersistentVolume', action: ACTION.add | ACTION.updateOther } },
      { event: { resource: 'StorageClass', action: ACTION.add } },
      { event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeLabel } },
    ],
    preFilter({ state, snapshot }, { pod }) {
      const claims = claimsOf(pod, snapshot.objects)
      if (!claims) return SKIP
      if ('code' in claims) return claims
      state.write(key, claims)
      return null
    },
    filter({ state }, _pod, node) {
      const { bound, lost, waiting } = state.read(key)
      if (lost.length > 0) return unresolvable(name, LOST, lost.map(evidence))
      const outOfReach = bound.filter(({ nodes }) => nodes && !nodes.matches(node))
      if (outOfReach.length > 0) {
        return unresolvable(
          name,
          CONFLICT,
          outOfReach.map(({ claim, volume }) => ({ type: 'volume', claim, volume })),
        )
      }
      return waiting.length > 0 ? unresolvable(name, NOT_FOUND, waiting.map(evidence)) : null
    },
  }),
})

function evidence(claim: string): { readonly type: 'volume'; readonly claim: string; readonly volume: null } {
  return { type: 'volume', claim, volume: null }
}

/** Null: the pod has none. A status: no node will do, whichever. */
function claimsOf(pod: Pod, objects: ClusterObjects): Claims | Status | null {
  const { namespace = '' } = pod.metadata
  const bound: Bound[] = []
  const lost: string[] = []
  const waiting: string[] = []
  for (const volume of pod.spec.volumes ?? []) {
    const { persistentVolumeClaim, ephemeral } = volume
    const claimName = persistentVolumeClaim?.claimName ?? (ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined)
    if (claimName === undefined) continue
    const claim = objects.persistentVolumeClaim(namespace, claimName)
    const fault = claim ? faultOf(claim, pod, Boolean(ephemeral)) : missing(claimName, Boolean(ephemeral))
    if (fault !== null) return unresolvable(name, [fault], [evidence(claimName)])
    if (!claim) continue
    if (isBound(claim)) {
      const volumeName = claim.spec.volumeName ?? ''
      const found = objects.persistentVolume(volumeName)
      if (found) bound.push({ claim: claimName, volume: volumeName, nodes: reachOf(found) })
      else lost.push(claimName)
    } else if (objects.storageClass(claim.spec.storageClassName ?? '')?.volumeBindingMode === 'WaitForFirstConsumer') {
      waiting.push(claimName)
    } else return unresolvable(name, IMMEDIATE, [evidence(claimName)])
  }
  return bound.length + lost.length + waiting.length > 0 ? { bound, lost, waiting } : null
}

function missing(claim: string, ephemeral: boolean): string {
  return ephemeral
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claim}"`
    : `persistentvolumeclaim "${claim}" not found`
}

function faultOf({ metadata, status, spec }: PersistentVolumeClaim, pod: Pod, ephemeral: boolean): string | null {
  if (status.phase === 'Lost')
    return `persistentvolumeclaim "${metadata.name}" bound to non-existent persistentvolume "${spec.volumeName ?? ''}"`
  if (metadata.deletionTimestamp) return `persistentvolumeclaim "${metadata.name}" is being deleted`
  if (!ephemeral || controllerOf({ metadata })?.uid === pod.metadata.uid) return null
  return `PVC ${metadata.namespace}/${metadata.name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`
}

function isBound({ metadata, spec, status }: PersistentVolumeClaim): boolean {
  return Boolean(spec.volumeName) && (status.phase === 'Bound' || metadata.annotations?.[BIND_COMPLETED] !== undefined)
}

function reachOf({ spec }: PersistentVolume): NodeTerms | null {
  return spec.nodeAffinity?.required ? new NodeTerms(spec.nodeAffinity.required) : null
}
