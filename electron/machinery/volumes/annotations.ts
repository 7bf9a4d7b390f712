/** Annotations by which those who bind, make and use persistent volumes talk to each other. Source: component-helpers `storage/volume`. */

/** On a claim: its binding is completed; what its volume is does not change any more. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
/** On a claim or volume: a controller chose its other half, so a controller may undo it. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
/** On a claim: the node that the scheduler wants its volume to be reached from. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
/** On a claim: who is asked to make its volume; under a name of old as well. */
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
export const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'
/** On a volume: who made it. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'

export const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection'
export const VOLUME_PROTECTION = 'kubernetes.io/pv-protection'

type Annotated = { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }

export function annotationOf({ metadata }: Annotated, name: string): string | undefined {
  return metadata.annotations?.[name]
}
