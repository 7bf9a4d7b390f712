/** Has the volumes of a pod's claims bound before the pod is. Source: kubernetes `plugins/volumebinding/binder.go`, `BindPodVolumes`. */
import { persistentVolumeClaim as claimKind } from '../../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../../api/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim, Pod } from '../../../api/core/v1/types.gen.ts'
import { sleep } from '../../../base/clock.ts'
import { annotationOf, BOUND_BY_CONTROLLER, SELECTED_NODE } from '../../../machinery/volumes/annotations.ts'
import type { Handle } from '../../framework/descriptor.ts'
import type { SelectableNode } from '../../matching/node-selector.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'
import { claimText } from './assumed-volumes.ts'
import type { NodeVolumes } from './node-volumes.ts'
import { isBound, reachOf } from './pod-claims.ts'

/** Between looks at claims that somebody else binds, in milliseconds. */
const LOOK = 100

export interface Binding {
  readonly volumes: NodeVolumes
  readonly node: SelectableNode
  readonly pod: Pod
  readonly objects: ClusterObjects
  /** Milliseconds. */
  readonly timeout: number
}

/** Resolves when all claims are bound; throws Error where that cannot be, or takes too long. */
export async function bindVolumes(binding: Binding, handle: Handle, signal: AbortSignal): Promise<void> {
  const { client, clock } = handle
  const { volumes, node, objects, pod } = binding
  for (const { volume, claim } of volumes.found) {
    if (volume.spec.claimRef?.uid) continue
    const { name, namespace = '', uid, resourceVersion } = claim.metadata
    const claimRef = { kind: claimKind.kind, apiVersion: 'v1', namespace, name, uid, resourceVersion }
    const chosen: Record<string, string> = volume.spec.claimRef ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }
    const metadata = { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...chosen } }
    await client.update(volumeKind, { ...volume, metadata, spec: { ...volume.spec, claimRef } }, { signal })
  }
  const asked: PersistentVolumeClaim[] = []
  for (const claim of volumes.wanted) {
    if (annotationOf(claim, SELECTED_NODE) === node.name) {
      asked.push(claim)
      continue
    }
    const metadata = { ...claim.metadata, annotations: { ...claim.metadata.annotations, [SELECTED_NODE]: node.name } }
    asked.push(await client.update(claimKind, { ...claim, metadata }, { signal }))
  }
  const claims = [...volumes.found.map(({ claim }) => claim), ...asked]
  const until = clock.monotonic() + binding.timeout
  for (;;) {
    const open = claims.filter((claim) => !isDone(claim, asked, binding))
    if (open.length === 0) return
    if (handle.livePod(pod.metadata.namespace ?? '', pod.metadata.name)?.metadata.uid !== pod.metadata.uid) {
      throw new Error('the pod is gone, and its volumes are not waited for any more')
    }
    if (clock.monotonic() >= until) throw new Error(`timed out waiting for the condition: ${open.map(claimText).join(', ')} not bound`)
    await sleep(clock, LOOK, signal)
  }

  function isDone(given: PersistentVolumeClaim, provisioned: readonly PersistentVolumeClaim[], { objects: now }: Binding): boolean {
    const { namespace = '', name, uid, resourceVersion } = given.metadata
    const claim = now.persistentVolumeClaim(namespace, name)
    if (!claim || claim.metadata.uid !== uid) throw new Error(`claim ${claimText(given)} is gone`)
    if (Number(claim.metadata.resourceVersion) < Number(resourceVersion)) return false
    if (isBound(claim)) return checkReach(claim)
    if (claim.metadata.deletionTimestamp) throw new Error(`claim ${claimText(given)} is being deleted`)
    if (provisioned.includes(given) && annotationOf(claim, SELECTED_NODE) !== node.name) {
      throw new Error(`provisioning failed for PVC "${claimText(claim)}"`)
    }
    return false
  }

  function checkReach(claim: PersistentVolumeClaim): boolean {
    const volume = objects.persistentVolume(claim.spec.volumeName ?? '')
    if (!volume) return false
    if (reachOf(volume)?.matches(node) ?? true) return true
    throw new Error(`PersistentVolume "${volume.metadata.name}" node affinity doesn't match node "${node.name}"`)
  }
}
