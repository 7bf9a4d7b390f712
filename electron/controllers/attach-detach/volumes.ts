/** Which volumes must be attached to a node before its pods can use them. Sources: kubernetes `pkg/volume/csi`, `pkg/controller/volume/attachdetach/util`. */
import { createHash } from 'node:crypto'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/core/v1/types.gen.ts'
import type { CSIDriver } from '../../api/storage/v1/types.gen.ts'
import { ephemeralClaimName } from '../workload/claim-pods.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

/** On a node, "true": its kubelet leaves attaching to the control plane. */
export const MANAGED = 'volumes.kubernetes.io/controller-managed-attach-detach'

export interface VolumeSources {
  readonly claim: (namespace: string, name: string) => PersistentVolumeClaim | undefined
  readonly volume: (name: string) => PersistentVolume | undefined
  readonly driver: (name: string) => CSIDriver | undefined
}

/** A volume with the pods of the node that use it. */
export interface Wanted {
  readonly volume: PersistentVolume
  readonly pods: Pod[]
}

/** By the volume's name. */
export function wantedBy(pods: readonly Pod[], sources: VolumeSources): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const pod of pods) {
    if (isPodTerminal(pod)) continue
    for (const volume of volumesOf(pod, sources)) {
      const known = wanted.get(volume.metadata.name)
      if (known) known.pods.push(pod)
      else wanted.set(volume.metadata.name, { volume, pods: [pod] })
    }
  }
  return wanted
}

/** Without an object of its own a driver wants its volumes attached. */
function volumesOf(pod: Pod, { claim, volume, driver }: VolumeSources): PersistentVolume[] {
  const { namespace = '' } = pod.metadata
  return (pod.spec.volumes ?? []).flatMap((one) => {
    const name = one.persistentVolumeClaim?.claimName ?? (one.ephemeral ? ephemeralClaimName(pod, one) : null)
    const found = name === null ? undefined : volume(claim(namespace, name)?.spec.volumeName ?? '')
    if (!found?.spec.csi || found.spec.claimRef?.name !== name || found.spec.claimRef.namespace !== namespace) return []
    return (driver(found.spec.csi.driver)?.spec.attachRequired ?? true) ? found : []
  })
}

/** As kubelets compute it, too. */
export function attachmentName({ spec: { csi } }: PersistentVolume, node: string): string {
  return `csi-${createHash('sha256')
    .update(`${csi?.volumeHandle ?? ''}${csi?.driver ?? ''}${node}`)
    .digest('hex')}`
}

/** As a node's status names it. */
export function uniqueName({ spec: { csi } }: PersistentVolume): string {
  return `kubernetes.io/csi/${csi?.driver ?? ''}^${csi?.volumeHandle ?? ''}`
}

export function isExclusive({ spec }: PersistentVolume): boolean {
  return !(spec.accessModes ?? []).some((mode) => mode === 'ReadOnlyMany' || mode === 'ReadWriteMany')
}

export function isManaged(node: Node): boolean {
  return node.metadata.annotations?.[MANAGED] === 'true'
}
