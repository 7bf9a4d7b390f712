/** Which storage class a claim means. Source: kubernetes `component-helpers/storage/volume`, `pkg/volume/util/storageclass.go`. */
import { storageClassOf } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import { isDefaultClass } from '../../api/storage/v1/storage-class.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'

/** Volumes of such a class are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

/** The youngest of the classes that are marked as default, and of these the first by name. */
export function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  const key = ({ metadata }: StorageClass) => Date.parse(metadata.creationTimestamp)
  return classes
    .filter(isDefaultClass)
    .sort((a, b) => key(b) - key(a) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .at(0)
}

/** Whether it leaves its class to the cluster; "" says that it wants none. */
export function asksForDefault({ metadata, spec }: PersistentVolumeClaim): boolean {
  return spec.storageClassName === undefined && metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] === undefined
}

/** The class that the claim names; undefined where it names none, or one that is not there. */
export function classOf(claim: PersistentVolumeClaim, find: (name: string) => StorageClass | undefined): StorageClass | undefined {
  const name = storageClassOf(claim)
  return name === '' ? undefined : find(name)
}

/** Whether claims of the class wait until a pod that uses them has a node. */
export function waitsForConsumer(found: StorageClass | undefined): boolean {
  return found?.volumeBindingMode === 'WaitForFirstConsumer'
}
