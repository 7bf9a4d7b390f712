/** Changes the resources of containers that run (KEP-1287). Source: kubernetes `kubelet/allocation`, `kuberuntime_manager.go`. */
import { messageOf } from '../../../base/errors.ts'
import type { Container, Pod, ResourceRequirements } from '../../../api/core/v1/types.gen.ts'
import { isSidecar } from '../../../api/core/v1/pod-spec/visit.ts'
import { compareQuantity } from '../../../api/values/quantity.ts'
import { semanticEqual } from '../../../api/values/equal.ts'
import type { Cri } from '../../runtime/cri.ts'
import type { PodCgroups } from '../../cgroups/pod-cgroups.ts'
import { updatableResources } from '../containers/resources.ts'
import { podReference } from '../events.ts'
import type { EventSink } from '../events.ts'
import type { RuntimeContainer, RuntimePod } from '../pleg/runtime-pod.ts'
import { findContainer } from '../pleg/runtime-pod.ts'
import type { PodState } from '../pods/pod-state.ts'
import type { Allocations } from '../pods/allocations.ts'
import type { Killer } from './killer.ts'

export interface ResizerDeps {
  readonly cri: Cri
  readonly cgroups: PodCgroups
  readonly killer: Killer
  readonly events: EventSink
  readonly allocations: Allocations
}

const IN_PROGRESS = 'PodResizeInProgress'

export class Resizer {
  readonly #deps: ResizerDeps

  constructor(deps: ResizerDeps) {
    this.#deps = deps
  }

  /** Brings running containers to what is allocated to the pod. Throws what the runtime refused, which the pod's conditions tell. */
  async apply(state: PodState, runtime: RuntimePod, signal: AbortSignal): Promise<void> {
    const { allocations, cgroups, events } = this.#deps
    const { pod, uid } = state
    if (!allocations.isPending(uid)) return
    const old = allocations.before(uid)
    events.event(podReference(pod), 'Normal', 'ResizeStarted', 'Pod resize started')
    try {
      if (old) await cgroups.update(widest(pod, old))
      for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]) {
        const running = findContainer(runtime, container.name)
        const before = old?.get(container.name)
        if (running?.state !== 'running' || !before || semanticEqual(before, container.resources)) continue
        await this.#resize(pod, container, before, running, runtime, signal)
      }
      await cgroups.update(pod)
      await allocations.settle(uid)
      state.conditions = withCondition(state, { type: IN_PROGRESS, status: '' })
      events.event(podReference(pod), 'Normal', 'ResizeCompleted', 'Pod resize completed')
    } catch (error) {
      signal.throwIfAborted()
      const message = messageOf(error)
      state.conditions = withCondition(state, { type: IN_PROGRESS, status: 'True', reason: 'Error', message })
      events.event(podReference(pod), 'Warning', 'ResizeError', message)
      throw error
    }
  }

  async #resize(
    pod: Pod,
    container: Container,
    before: ResourceRequirements,
    running: RuntimeContainer,
    runtime: RuntimePod,
    signal: AbortSignal,
  ): Promise<void> {
    const { cri, killer } = this.#deps
    if (needsRestart(container, before)) {
      const address = runtime.sandboxes[0]?.ips[0] ?? ''
      const message = `Container ${container.name} resize requires restart`
      await killer.killContainer(pod, address, running, { message, signal })
    } else await cri.updateResources(running.id, updatableResources(container.resources))
  }
}

type Condition = PodState['conditions'][number]

export function withCondition(state: PodState, condition: Condition): readonly Condition[] {
  return [...state.conditions.filter(({ type }) => type !== condition.type), condition]
}

function needsRestart({ resizePolicy = [], resources }: Container, before: ResourceRequirements): boolean {
  return resizePolicy.some(({ resourceName, restartPolicy }) => {
    const changed = (which: 'requests' | 'limits') => before[which]?.[resourceName] !== resources[which]?.[resourceName]
    return restartPolicy === 'RestartContainer' && (changed('requests') || changed('limits'))
  })
}

/** The pod with the larger of old and new for each container, so that its group never is too narrow for them. */
function widest(pod: Pod, before: ReadonlyMap<string, ResourceRequirements>): Pod {
  const widen = (container: Container): Container => {
    const old = before.get(container.name)
    if (!old) return container
    const limits = larger(container.resources.limits, old.limits)
    const requests = larger(container.resources.requests, old.requests)
    return { ...container, resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) } }
  }
  const { spec } = pod
  const initContainers = spec.initContainers?.map(widen)
  return { ...pod, spec: { ...spec, containers: spec.containers.map(widen), ...(initContainers ? { initContainers } : {}) } }
}

/** A limit that one of them lacks is none. */
function larger(a: ResourceRequirements['limits'], b: ResourceRequirements['limits']): ResourceRequirements['limits'] {
  const names = Object.keys(a ?? {}).filter((name) => b?.[name] !== undefined)
  return Object.fromEntries(
    names.map((name) => [name, compareQuantity(a?.[name] ?? '0', b?.[name] ?? '0') >= 0 ? (a?.[name] ?? '0') : (b?.[name] ?? '0')]),
  )
}
