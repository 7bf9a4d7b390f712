/** Objects for tests: written as loosely as in a manifest, with what decoding fills in. */
import type { Container, ContainerStatus, Pod } from '../core/v1/types.gen.ts'
import { defaultPod } from '../core/v1/pod-spec/pod-defaults.ts'
import type { FieldError } from '../values/field-error.ts'

export type Loose = Record<string, unknown>

/** "spec.containers[0].name: Required value". */
export const shown = (errors: readonly FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`)

export function meta(more: Loose = {}) {
  return { name: 'one', namespace: 'default', uid: 'u-1', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '', ...more }
}

/** A container that is valid, unless `more` makes it otherwise. */
export function container(more: Loose = {}): Loose {
  return { name: 'app', image: 'registry.example/app:1', ...more }
}

/** A pod as it is before its defaults. `spec` replaces what a minimal spec has. */
export function bare(spec: Loose = {}, metadata: Loose = {}, status: Loose = {}): Pod {
  const pod = structuredClone({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(metadata),
    spec: { containers: [container()], ...spec },
    status,
  }) as unknown as Pod
  decodePodSpec(pod.spec)
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    for (const each of pod.status[list] ?? []) decodeStatus(each)
  }
  return pod
}

/** A pod as it is when it is validated. */
export function testPod(spec: Loose = {}, metadata: Loose = {}, status: Loose = {}): Pod {
  const pod = bare(spec, metadata, status)
  defaultPod(pod)
  return pod
}

/** Structs that Go writes even when they are empty, and the schema's own defaults. */
export function decodePodSpec(spec: Pod['spec']): void {
  for (const list of [spec.containers, spec.initContainers, spec.ephemeralContainers]) {
    for (const each of (list ?? []) as (Partial<Container> | undefined)[]) {
      if (!each) continue
      each.resources ??= {}
      for (const port of each.ports ?? []) port.protocol ??= 'TCP'
    }
  }
}

function decodeStatus(status: Partial<ContainerStatus>): void {
  status.state ??= {}
  status.lastState ??= {}
  status.ready ??= false
  status.restartCount ??= 0
}
