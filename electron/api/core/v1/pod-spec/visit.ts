import type { Container, EphemeralContainer, PodSpec } from '../types.gen.ts'

/** What all three sorts of containers have in common; ephemeral ones have nothing that these lack but a target. */
export type AnyContainer = Container | EphemeralContainer

export interface VisitedContainer {
  readonly container: AnyContainer
  /** Path of the container: "spec.initContainers[0]". */
  readonly field: string
}

/** Init containers, containers, ephemeral containers, in this order. `field` is the path of the spec. */
export function containersOf(spec: PodSpec, field: string): VisitedContainer[] {
  const lists = { initContainers: spec.initContainers, containers: spec.containers, ephemeralContainers: spec.ephemeralContainers }
  return Object.entries(lists).flatMap(([name, list]) =>
    (list ?? []).map((container: AnyContainer, i) => ({ container, field: `${field}.${name}[${i}]` })),
  )
}

/** An init container that runs beside the pod's containers (KEP-753). */
export function isSidecar(container: AnyContainer | undefined): boolean {
  return container?.restartPolicy === 'Always'
}
