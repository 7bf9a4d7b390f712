/** Volumes that are folders on a node's disk: made for claims of our own class, and gone with them. */

/** In `provisioner` of a StorageClass. Its volumes are on the node of the first pod that uses them. */
export const LOCAL_PROVISIONER = 'infra.flotilla.dev/local'
/** On a volume until its folder is gone, or is to stay. */
export const LOCAL_VOLUME_FINALIZER = 'infra.flotilla.dev/local-volume'
/** Of the class that a new cluster has. */
export const LOCAL_CLASS = 'local'

/** Where an agent makes (PUT) and removes (DELETE) a volume's folder; both may be repeated. PUT answers a `LocalVolume`. */
export function localVolumePath(name: string): string {
  return `/flotilla/v1/volumes/${name}`
}

export interface LocalVolume {
  /** Absolute, on the node. */
  readonly path: string
}
