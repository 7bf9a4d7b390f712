/** Disks that only one pod of a node may have. Source: kubernetes `plugins/volumerestrictions`, `isVolumeConflict`. */
import type { Pod, Volume } from '../../../api/core/v1/types.gen.ts'

interface Disk {
  /** Two disks of one key are one. */
  readonly key: string
  readonly readOnly: boolean
}

/** Of volumes that pods name without a claim. */
export function disksOf({ spec }: Pod): Disk[] {
  return (spec.volumes ?? []).flatMap(disksOfVolume)
}

/** The first that both have, unless both only read it. */
export function sharedDisk(disks: readonly Disk[], others: readonly Disk[]): Disk | undefined {
  return disks.find((disk) => others.some(({ key, readOnly }) => key === disk.key && !(readOnly && disk.readOnly)))
}

function disksOfVolume({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }: Volume): Disk[] {
  if (gcePersistentDisk) return [{ key: `gce ${gcePersistentDisk.pdName}`, readOnly: gcePersistentDisk.readOnly ?? false }]
  // An EBS volume is attached once, whatever is done with it.
  if (awsElasticBlockStore) return [{ key: `aws ${awsElasticBlockStore.volumeID}`, readOnly: false }]
  if (iscsi) return [{ key: `iscsi ${iscsi.iqn}`, readOnly: iscsi.readOnly ?? false }]
  if (!rbd) return []
  return rbd.monitors.map((monitor) => ({
    key: `rbd ${monitor} ${rbd.pool ?? ''} ${rbd.image}`,
    readOnly: rbd.readOnly ?? false,
  }))
}
