/** Which running containers must end, and why. */
import type { Container, Pod } from '../../../api/core/v1/types.gen.ts'
import { containerHash } from '../containers/container-config.ts'
import type { RuntimeContainer, RuntimePod } from '../pleg/runtime-pod.ts'
import { hashOf } from '../pleg/runtime-pod.ts'

export type Verdict = 'success' | 'failure' | 'unknown' | undefined

export interface PlanInput {
  readonly pod: Pod
  readonly runtime: RuntimePod | undefined
  /** What probes say of a running container. */
  readonly liveness: (containerId: string) => Verdict
  readonly startup: (containerId: string) => Verdict
}

export type KillReason = 'liveness' | 'startup' | 'changed' | 'lost'

export interface ContainerKill {
  readonly container: RuntimeContainer
  readonly spec: Container
  readonly reason: KillReason
  /** For the event; empty: the usual one. */
  readonly message: string
}

/** Why a running container must end. */
export function killOf(spec: Container, container: RuntimeContainer, input: PlanInput, title: string): ContainerKill | null {
  if (hashOf(container) !== containerHash(spec))
    return { container, spec, reason: 'changed', message: `${title} ${spec.name} definition changed` }
  if (input.liveness(container.id) === 'failure')
    return { container, spec, reason: 'liveness', message: `${title} ${spec.name} failed liveness probe` }
  if (input.startup(container.id) === 'failure')
    return { container, spec, reason: 'startup', message: `${title} ${spec.name} failed startup probe` }
  return null
}
