/** One pod on a simulated node, from being taken to its end. What is told of it is worked out by the code of the real agent. */
import { createAdmission } from '../../electron/agent/kubelet/admission/admission.ts'
import { shouldStart } from '../../electron/agent/kubelet/pods/restart-policy.ts'
import { isOwnCondition } from '../../electron/agent/kubelet/status/conditions.ts'
import { podStatus, rejectedStatus, terminatedStatus } from '../../electron/agent/kubelet/status/pod-status.ts'
import type { Waiting } from '../../electron/agent/kubelet/status/container-statuses.ts'
import { isSidecar } from '../../electron/api/core/v1/pod-spec/visit.ts'
import type { Container, Node, Pod, PodCondition, PodStatus } from '../../electron/api/core/v1/types.gen.ts'
import type { Clock } from '../../electron/base/clock.ts'
import { behaviourOf, type Behaviour, type Play } from './behaviour.ts'
import { HollowRuntime } from './hollow-runtime.ts'

/** The kubelet's waits before a container that ended is started again. */
const FIRST_RESTART = 10_000
const LONGEST_RESTART = 300_000

export interface HollowPodDeps {
  readonly clock: Clock
  readonly play: Play
  readonly hostIP: string
  readonly podIP: string
  /** The pod is to be looked at again. */
  readonly changed: () => void
}

export interface Surroundings {
  readonly node: Node | undefined
  /** Pods that hold something on the node; null: every pod is taken. */
  readonly active: readonly Pod[] | null
}

export interface Step {
  /** What is true of the pod now. */
  readonly status: PodStatus
  /** Nothing is left of it, so that it may be taken out of the API. */
  readonly gone: boolean
  /** Look again after so many milliseconds. */
  readonly wait: number | null
}

export class HollowPod {
  readonly #deps: HollowPodDeps
  readonly #runtime: HollowRuntime
  readonly #takenAt: number
  #rejection: Waiting | null | undefined
  #status: PodStatus
  #stopped = false

  constructor(pod: Pod, deps: HollowPodDeps) {
    this.#deps = deps
    this.#takenAt = deps.clock.now()
    this.#status = pod.status
    this.#runtime = new HollowRuntime(pod, () => deps.clock.now(), deps.changed)
    if (pod.status.phase === 'Running') this.#adopt(pod)
  }

  step(pod: Pod, around: Surroundings): Step {
    const now = this.#deps.clock.now()
    const behaviour = behaviourOf(pod, this.#deps.clock, this.#deps.play)
    const deleted = pod.metadata.deletionTimestamp !== undefined
    const hasEnded = (phase = this.#status.phase) => phase === 'Succeeded' || phase === 'Failed'
    if (hasEnded(pod.status.phase)) {
      // Somebody else may have said so.
      this.stop()
      return { status: pod.status, gone: deleted, wait: null }
    }
    if (this.#rejection === undefined) this.#rejection = this.#admit(pod, around)
    if (this.#rejection) return { status: rejectedStatus(pod, this.#rejection, now), gone: deleted, wait: null }
    const waits: number[] = []
    const waiting = new Map<string, Waiting>()
    if (deleted) waits.push(...this.#shutDown(pod, behaviour, now))
    else if (!hasEnded()) waits.push(...this.#startAll(pod, behaviour, waiting, now))
    const readyIn = ({ name }: Container) => (this.#runtime.latest(name)?.startedAt ?? now) + behaviour.readyDelay - now
    const status = podStatus({
      ...{ pod, waiting, now, failure: null, hostIPs: [this.#deps.hostIP], isTerminal: this.#stopped },
      previous: { ...this.#status, conditions: this.#conditions(pod) },
      runtime: this.#runtime.view(pod),
      readiness: { isStarted: () => true, isReady: (_uid, container) => behaviour.ready && readyIn(container) <= 0 },
    })
    this.#status = this.#stopped ? terminatedStatus(pod, status) : status
    if (hasEnded()) this.stop()
    else if (behaviour.ready && behaviour.readyDelay > 0) waits.push(...pod.spec.containers.map(readyIn))
    const coming = waits.filter((wait) => wait > 0)
    return { status: this.#status, gone: deleted && this.#stopped, wait: coming.length ? Math.min(...coming) : null }
  }

  /** Its containers end, and are started again. */
  reboot(): void {
    this.#runtime.kill()
  }

  /** Everything ends at once. */
  stop(): void {
    this.#stopped = true
    this.#runtime.kill()
  }

  /** Our own as we said them, those of others as they are now. */
  #conditions({ status }: Pod): PodCondition[] {
    const own = (this.#status.conditions ?? []).filter(({ type }) => isOwnCondition(type))
    return [...own, ...(status.conditions ?? []).filter(({ type }) => !isOwnCondition(type))]
  }

  #admit(pod: Pod, { node, active }: Surroundings): Waiting | null {
    if (!active || !node || pod.status.startTime) return null
    const admission = createAdmission({
      nodeName: node.metadata.name,
      node: () => node,
      allocatable: () => node.status.allocatable ?? {},
      sysctls: new Set(),
      holds: () => false,
    })
    return admission.admit(pod, active)
  }

  /** A pod of before this process began goes on. */
  #adopt(pod: Pod): void {
    const { spec, status } = pod
    const behaviour = behaviourOf(pod, this.#deps.clock, this.#deps.play)
    this.#runtime.startSandbox(
      (status.podIPs ?? []).map(({ ip }) => ip),
      spec.hostNetwork ?? false,
    )
    for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
      const told = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].find(
        ({ name }) => name === container.name,
      )
      if (!told?.state.running) continue
      this.#runtime.start(container, told.restartCount, behaviour, Date.parse(told.state.running.startedAt ?? '') || this.#deps.clock.now())
    }
  }

  /** What is to be waited for. */
  #startAll(pod: Pod, behaviour: Behaviour, waiting: Map<string, Waiting>, now: number): number[] {
    const { spec } = pod
    const delay = this.#takenAt + behaviour.startDelay - now
    if (!this.#runtime.hasSandbox) {
      if (delay > 0) return [delay]
      this.#runtime.startSandbox(spec.hostNetwork ? [] : [this.#deps.podIP], spec.hostNetwork ?? false)
    }
    if (behaviour.missingImage) {
      for (const { name, image = '' } of spec.containers) {
        if (!this.#runtime.latest(name)) waiting.set(name, { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` })
      }
      return []
    }
    const waits: number[] = []
    for (const container of spec.initContainers ?? []) {
      waits.push(...this.#startOne(pod, container, behaviour, waiting, now))
      const latest = this.#runtime.latest(container.name)
      const goesOn = isSidecar(container) ? latest?.state === 'running' : latest?.state === 'exited' && latest.exitCode === 0
      if (!goesOn) return waits
    }
    for (const container of spec.containers) waits.push(...this.#startOne(pod, container, behaviour, waiting, now))
    return waits
  }

  #startOne(pod: Pod, container: Container, behaviour: Behaviour, waiting: Map<string, Waiting>, now: number): number[] {
    const latest = this.#runtime.latest(container.name)
    const isInit = pod.spec.initContainers?.includes(container) === true && !isSidecar(container)
    if (isInit && latest?.state === 'exited' && latest.exitCode === 0) return []
    if (!shouldStart(pod, container, latest)) return []
    const told = this.#status.containerStatuses?.find(({ name }) => name === container.name)
    const restarts = latest ? latest.attempt + 1 : told?.state.terminated ? told.restartCount + 1 : 0
    const backoff = restarts > 1 ? Math.min(FIRST_RESTART * 2 ** (restarts - 2), LONGEST_RESTART) : 0
    const wait = latest ? latest.finishedAt + backoff - now : 0
    if (wait > 0) {
      const message = `back-off ${backoff / 1000}s restarting failed container=${container.name} pod=${pod.metadata.name}`
      waiting.set(container.name, { reason: 'CrashLoopBackOff', message })
      return [wait]
    }
    // Init containers of which nothing else is said have done their work at once.
    const run: Behaviour['run'] = (...args) => behaviour.run(...args) ?? (isInit ? Promise.resolve(0) : null)
    this.#runtime.start(container, restarts, { ...behaviour, run })
    return []
  }

  #shutDown({ metadata }: Pod, { stopDelay }: Behaviour, now: number): number[] {
    const grace = (metadata.deletionGracePeriodSeconds ?? 0) * 1000
    const asked = Date.parse(metadata.deletionTimestamp ?? '') - grace
    const wait = this.#runtime.isRunning ? asked + Math.min(stopDelay, grace) - now : 0
    if (wait > 0) return [wait]
    this.stop()
    return []
  }
}
