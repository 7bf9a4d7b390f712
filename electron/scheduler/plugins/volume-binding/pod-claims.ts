/** The claims of a pod, by how far they are. Source: kubernetes `plugins/volumebinding/binder.go`, `GetPodVolumeClaims`. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/core/v1/types.gen.ts'
import { controllerOf } from '../../../machinery/object.ts'
import { BIND_COMPLETED } from '../../../machinery/volumes/annotations.ts'
import { classOf, waitsForConsumer } from '../../../machinery/volumes/classes.ts'
import type { Evidence } from '../../framework/evidence.ts'
import { unresolvable, type Status } from '../../framework/status.ts'
import { NodeTerms } from '../../matching/node-selector.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'

export const PLUGIN = 'VolumeBinding'

export interface BoundClaim {
  readonly claim: string
  readonly volume: string
  /** Where the volume can be reached; null: everywhere. */
  readonly nodes: NodeTerms | null
}

export interface PodClaims {
  readonly bound: readonly BoundClaim[]
  /** Those that name a volume which is not there. */
  readonly lost: readonly string[]
  /** Those that get their volume where the pod gets its node. */
  readonly open: readonly PersistentVolumeClaim[]
}

const IMMEDIATE = ['pod has unbound immediate PersistentVolumeClaims']

/** Null: the pod has none. A status: no node will do, whichever. */
export function podClaims(pod: Pod, objects: ClusterObjects): PodClaims | Status | null {
  const { namespace = '' } = pod.metadata
  const bound: BoundClaim[] = []
  const lost: string[] = []
  const open: PersistentVolumeClaim[] = []
  for (const volume of pod.spec.volumes ?? []) {
    const { persistentVolumeClaim, ephemeral } = volume
    const name = persistentVolumeClaim?.claimName ?? (ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined)
    if (name === undefined) continue
    const claim = objects.persistentVolumeClaim(namespace, name)
    const fault = claim ? faultOf(claim, pod, Boolean(ephemeral)) : missing(name, Boolean(ephemeral))
    if (fault !== null) return unresolvable(PLUGIN, [fault], [claimEvidence(name)])
    if (!claim) continue
    if (isBound(claim)) {
      const volumeName = claim.spec.volumeName ?? ''
      const found = objects.persistentVolume(volumeName)
      if (found) bound.push({ claim: name, volume: volumeName, nodes: reachOf(found) })
      else lost.push(name)
    } else if (!claim.spec.volumeName && waitsForConsumer(classOf(claim, (className) => objects.storageClass(className)))) {
      if (!open.includes(claim)) open.push(claim)
    } else return unresolvable(PLUGIN, IMMEDIATE, [claimEvidence(name)])
  }
  return bound.length + lost.length + open.length > 0 ? { bound, lost, open } : null
}

export function claimEvidence(claim: string): Evidence {
  return { type: 'volume', claim, volume: null }
}

export function isBound({ metadata, spec, status }: PersistentVolumeClaim): boolean {
  return Boolean(spec.volumeName) && (status.phase === 'Bound' || metadata.annotations?.[BIND_COMPLETED] !== undefined)
}

export function reachOf({ spec }: PersistentVolume): NodeTerms | null {
  return spec.nodeAffinity?.required ? new NodeTerms(spec.nodeAffinity.required) : null
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
