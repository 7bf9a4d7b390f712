/** Init containers: one after the other, sidecars staying up beside those that follow (KEP-753). */
import type { Container } from '../../../api/core/v1/types.gen.ts'
import { isSidecar } from '../../../api/core/v1/pod-spec/visit.ts'
import type { RuntimeContainer } from '../pleg/runtime-pod.ts'
import { findContainer } from '../pleg/runtime-pod.ts'
import { restartsAfter } from '../pods/restart-policy.ts'
import { killOf } from './container-kill.ts'
import type { ContainerKill, PlanInput } from './container-kill.ts'

export interface InitPlan {
  /** All have done what the pod's containers wait for. */
  readonly done: boolean
  /** One has failed for good. */
  readonly failed: boolean
  readonly start: readonly Container[]
  readonly kill: readonly ContainerKill[]
}

/** Only containers of this sandbox count: a new one begins from the first. */
export function planInit(input: PlanInput, sandboxId: string): InitPlan {
  const { pod, runtime } = input
  const specs = pod.spec.initContainers ?? []
  const inSandbox = (name: string) => findContainer(runtime, name, sandboxId)
  const start: Container[] = []
  const kill: ContainerKill[] = []
  const initialized = pod.spec.containers.some(({ name }) => inSandbox(name) !== undefined)
  // Finished ones may have been cleaned away: the furthest that is known tells how far the pod has come.
  const furthest = specs.findLastIndex(({ name }) => inSandbox(name) !== undefined)
  const behind = initialized ? specs.length : furthest

  for (const spec of specs.slice(0, Math.max(0, behind))) {
    if (isSidecar(spec) && keepUp(spec, inSandbox(spec.name), input, kill)) start.push(spec)
  }
  if (initialized) return { done: true, failed: false, start, kill }
  const [first] = specs
  if (furthest < 0) return first ? { done: false, failed: false, start: [first], kill } : { done: true, failed: false, start, kill }

  const spec = specs[furthest] as Container
  const container = inSandbox(spec.name) as RuntimeContainer
  const next = specs[furthest + 1]
  switch (isSidecar(spec) ? sidecarStep(spec, container, input, kill) : plainStep(spec, container, input, kill)) {
    case 'wait':
      return { done: false, failed: false, start, kill }
    case 'restart':
      return { done: false, failed: false, start: [...start, spec], kill }
    case 'fail':
      return { done: false, failed: true, start: [], kill: [] }
    case 'next':
      return next ? { done: false, failed: false, start: [...start, next], kill } : { done: true, failed: false, start, kill }
  }
}

type Step = 'wait' | 'restart' | 'fail' | 'next'

function plainStep(spec: Container, container: RuntimeContainer, { pod }: PlanInput, kill: ContainerKill[]): Step {
  switch (container.state) {
    case 'running':
      return 'wait'
    case 'exited':
      if (container.exitCode === 0) return 'next'
      return restartsAfter(pod, spec, container.exitCode) ? 'restart' : 'fail'
    case 'unknown':
      kill.push(lost(spec, container))
      return 'restart'
    case 'created':
      return 'restart'
  }
}

function sidecarStep(spec: Container, container: RuntimeContainer, input: PlanInput, kill: ContainerKill[]): Step {
  if (keepUp(spec, container, input, kill)) return 'restart'
  return spec.startupProbe && input.startup(container.id) !== 'success' ? 'wait' : 'next'
}

/** Whether a sidecar must be started; what must end before is added to `kill`. */
function keepUp(spec: Container, container: RuntimeContainer | undefined, input: PlanInput, kill: ContainerKill[]): boolean {
  if (container?.state === 'unknown') kill.push(lost(spec, container))
  if (container?.state !== 'running') return true
  const ending = killOf(spec, container, input, 'Init container')
  if (ending) kill.push({ ...ending, message: `${ending.message}, will be restarted` })
  return ending !== null
}

function lost(spec: Container, container: RuntimeContainer): ContainerKill {
  return { container, spec, reason: 'lost', message: `Init container ${spec.name} is in unknown state, try killing it before restart` }
}
