/** Where the volumes of open claims would come from on one node. Source: kubernetes `plugins/volumebinding/binder.go`, `FindPodVolumes`. */
import { storageClassOf } from '../../../api/core/v1/persistent-volume.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import type { StorageClass } from '../../../api/storage/v1/types.gen.ts'
import { compareQuantity } from '../../../api/values/quantity.ts'
import { annotationOf, SELECTED_NODE } from '../../../machinery/volumes/annotations.ts'
import { classOf, NO_PROVISIONER } from '../../../machinery/volumes/classes.ts'
import { matchingVolume, storageOf } from '../../../machinery/volumes/match.ts'
import type { SelectableNode } from '../../matching/node-selector.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'
import type { AssumedVolumes } from './assumed-volumes.ts'
import { reachOf } from './pod-claims.ts'
import { hasRoom } from './storage-capacity.ts'

/** What is to be done so that all claims of a pod have a volume. */
export interface NodeVolumes {
  /** Volumes that are there, for these claims. */
  readonly found: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[]
  /** Claims that somebody is asked to make a volume for. */
  readonly wanted: readonly PersistentVolumeClaim[]
}

/** The claims that get none there, with why. */
export interface NoVolumes {
  readonly without: readonly string[]
  /** There would be volumes for them if there was room. */
  readonly noRoom: readonly string[]
}

/** How all claims get a volume. The smallest claims choose first, so that they leave the large volumes. */
export function volumesOn(
  node: SelectableNode,
  open: readonly PersistentVolumeClaim[],
  objects: ClusterObjects,
  assumed: AssumedVolumes,
): NodeVolumes | NoVolumes {
  const found: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = []
  const wanted: PersistentVolumeClaim[] = []
  const without: string[] = []
  const noRoom: string[] = []
  const taken = new Set(assumed.taken(objects))
  for (const claim of open.toSorted(bySize)) {
    const { namespace = '', name } = claim.metadata
    const promised = annotationOf(claim, SELECTED_NODE)
    if (promised !== undefined) {
      if (promised === node.name) wanted.push(claim)
      else without.push(name)
      continue
    }
    const candidates = objects.persistentVolumesFor(storageClassOf(claim), namespace, name)
    const reachable = (volume: PersistentVolume) => reachOf(volume)?.matches(node) ?? true
    const volume = matchingVolume(claim, candidates, { reachable, taken })
    if (volume) {
      found.push({ claim, volume })
      taken.add(volume.metadata.name)
      continue
    }
    const storageClass = classOf(claim, (className) => objects.storageClass(className))
    if (!storageClass || !isMadeFor(storageClass, node)) without.push(name)
    else if (hasRoom(storageClass, claim, node, objects)) wanted.push(claim)
    else noRoom.push(name)
  }
  return without.length + noRoom.length > 0 ? { without, noRoom } : { found, wanted }
}

function bySize(a: PersistentVolumeClaim, b: PersistentVolumeClaim): number {
  return compareQuantity(storageOf(a.spec.resources.requests), storageOf(b.spec.resources.requests))
}

/** Whether somebody makes volumes of the class that the node can reach. */
function isMadeFor(found: StorageClass, { labels }: SelectableNode): boolean {
  if (found.provisioner === '' || found.provisioner === NO_PROVISIONER) return false
  const { allowedTopologies = [] } = found
  if (allowedTopologies.length === 0) return true
  return allowedTopologies.some(
    ({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.length > 0 && matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? '')),
  )
}
