/** Volumes that were promised to the claims of a pod, until the informers know of it. Source: kubernetes `plugins/volumebinding/assume_cache.go`. */
import type { PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'
import type { NodeVolumes } from './node-volumes.ts'

export class AssumedVolumes {
  /** The claim's uid by the volume's name. */
  readonly #promises = new Map<string, string>()

  promise({ found }: NodeVolumes): void {
    for (const { volume, claim } of found) this.#promises.set(volume.metadata.name, claim.metadata.uid)
  }

  /** What is written already stays as it is written. */
  revoke({ found }: NodeVolumes): void {
    for (const { volume, claim } of found) {
      if (this.#promises.get(volume.metadata.name) === claim.metadata.uid) this.#promises.delete(volume.metadata.name)
    }
  }

  /** Names of volumes that look free and are not. What the informers know by now is forgotten. */
  *taken(objects: ClusterObjects): Iterable<string> {
    for (const name of this.#promises.keys()) {
      const volume = objects.persistentVolume(name)
      if (!volume || volume.spec.claimRef) this.#promises.delete(name)
      else yield name
    }
  }
}

/** How messages name it. */
export function claimText({ metadata }: PersistentVolumeClaim): string {
  return `${metadata.namespace}/${metadata.name}`
}
