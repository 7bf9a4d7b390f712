/** All probes of this node's pods, and what they say. */
import { Emitter } from '../../../base/events.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Random } from '../../../base/random.ts'
import type { Container, ContainerStatus, Pod, Probe } from '../../../api/core/v1/types.gen.ts'
import { isSidecar } from '../../../api/core/v1/pod-spec/visit.ts'
import { containerReference } from '../events.ts'
import type { EventSink } from '../events.ts'
import type { ProbeAnswer, ProbeKind, ProbeRunner, ProbeTarget } from './probe.ts'
import { ProbeWorker } from './probe-worker.ts'
import type { ProbeResult, ProbeSubject } from './probe-worker.ts'

export interface ProbeManagerDeps {
  readonly clock: Clock
  readonly random: Random
  readonly run: ProbeRunner
  readonly events: EventSink
  /** The newest container of that name as the runtime has it; null while there is none. */
  readonly container: (uid: string, name: string) => Pick<ProbeSubject, 'containerId' | 'running' | 'startedAt'> | null
  readonly pod: (uid: string) => { readonly pod: Pod; readonly address: string; readonly terminating: boolean } | null
}

const KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness']
const TITLES: Record<ProbeKind, string> = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' }

export class ProbeManager implements Disposable {
  /** The uid of a pod of which a probe's verdict changed. */
  readonly changed = new Emitter<string>()
  readonly #deps: ProbeManagerDeps
  /** By uid, then by "kind/container". */
  readonly #workers = new Map<string, Map<string, ProbeWorker>>()
  readonly #results: Record<ProbeKind, Map<string, { uid: string; result: ProbeResult }>> = {
    startup: new Map(),
    liveness: new Map(),
    readiness: new Map(),
  }
  /** Pods that were running when the agent began are looked at one after the other, not all at once. */
  readonly #restartedAt: number

  constructor(deps: ProbeManagerDeps) {
    this.#deps = deps
    this.#restartedAt = deps.clock.now()
  }

  /** Begins to probe the pod's containers; those that are probed already go on. */
  add(pod: Pod): void {
    const { uid } = pod.metadata
    const workers = this.#workers.get(uid) ?? new Map<string, ProbeWorker>()
    this.#workers.set(uid, workers)
    for (const container of longRunning(pod)) {
      for (const kind of KINDS) {
        const probe = probeOf(container, kind)
        const key = `${kind}/${container.name}`
        if (probe && !workers.has(key)) workers.set(key, this.#begin(pod, container, kind, probe))
      }
    }
  }

  /** The API server's word on a pod that was begun from disk: it goes before verdicts from there that no look has renewed. */
  adopt(pod: Pod): void {
    const workers = this.#workers.get(pod.metadata.uid)
    for (const container of workers ? longRunning(pod) : []) {
      for (const kind of KINDS) {
        const worker = workers?.get(`${kind}/${container.name}`)
        if (worker && !worker.hasVerdict) this.#takeOver(pod, container, kind, worker)
      }
    }
  }

  /** Ends what must not disturb a pod that is to end. */
  stopLivenessAndStartup(uid: string): void {
    for (const [key, worker] of this.#workers.get(uid) ?? []) if (!key.startsWith('readiness/')) worker[Symbol.dispose]()
  }

  remove(uid: string): void {
    for (const worker of this.#workers.get(uid)?.values() ?? []) worker[Symbol.dispose]()
    this.#workers.delete(uid)
    for (const kind of KINDS) for (const [id, entry] of this.#results[kind]) if (entry.uid === uid) this.#results[kind].delete(id)
  }

  /** The verdict on one container; undefined before the first. */
  result(kind: ProbeKind, containerId: string): ProbeResult | undefined {
    return this.#results[kind].get(containerId)?.result
  }

  /** Whether a running container has come up: its startup probe, if it has one, has succeeded. */
  isStarted(container: Container, containerId: string): boolean {
    if (!container.startupProbe) return true
    return this.result('startup', containerId) === 'success'
  }

  /** Whether a running container is ready for traffic. */
  isReady(uid: string, container: Container, containerId: string): boolean {
    if (!this.isStarted(container, containerId)) return false
    if (!container.readinessProbe) return true
    const result = this.result('readiness', containerId)
    if (result === undefined) this.#workers.get(uid)?.get(`readiness/${container.name}`)?.trigger()
    return result === 'success'
  }

  [Symbol.dispose](): void {
    for (const uid of this.#workers.keys()) this.remove(uid)
  }

  #begin(pod: Pod, container: Container, kind: ProbeKind, probe: Probe): ProbeWorker {
    const { clock, random, run } = this.#deps
    const { uid } = pod.metadata
    const worker = new ProbeWorker(kind, probe, {
      clock,
      run,
      subject: () => this.#subject(uid, container),
      onResult: (containerId, result) => this.#set(kind, uid, containerId, result),
      onReplaced: (containerId) => void this.#results[kind].delete(containerId),
      onAnswer: (answer, target) => this.#tell(kind, answer, target),
    })
    const period = (probe.periodSeconds ?? 10) * 1000
    const known = this.#takeOver(pod, container, kind, worker)
    const restarted = known || clock.now() - this.#restartedAt < period
    worker.start(restarted ? random.float() * period : 0)
    return worker
  }

  /** False if nothing is known of the container that runs. */
  #takeOver(pod: Pod, container: Container, kind: ProbeKind, worker: ProbeWorker): boolean {
    const known = this.#adopted(pod, container)
    if (!known) return false
    if (kind === 'readiness') worker.adopt(known.id, known.ready ? 'success' : 'failure')
    if (kind === 'startup' && known.started) worker.adopt(known.id, 'success')
    if (kind === 'liveness') worker.adopt(known.id, 'success')
    return true
  }

  /** What the pod's status says of the container that still runs: a restart of the agent changes nothing of it. */
  #adopted({ metadata, spec, status }: Pod, { name }: Container): { id: string; ready: boolean; started: boolean } | null {
    const isInit = spec.initContainers?.some((init) => init.name === name)
    const statuses: ContainerStatus[] = (isInit ? status.initContainerStatuses : status.containerStatuses) ?? []
    const known = statuses.find((s) => s.name === name)
    const current = this.#deps.container(metadata.uid, name)
    if (!known?.containerID || !current?.running || known.containerID !== `containerd://${current.containerId}`) return null
    return { id: current.containerId, ready: known.ready, started: known.started ?? false }
  }

  #subject(uid: string, container: Container): ProbeSubject | null {
    const known = this.#deps.pod(uid)
    const current = this.#deps.container(uid, container.name)
    if (!known || !current) return null
    return { ...known, ...current, container, started: this.isStarted(container, current.containerId) }
  }

  #set(kind: ProbeKind, uid: string, containerId: string, result: ProbeResult): void {
    const old = this.#results[kind].get(containerId)
    this.#results[kind].set(containerId, { uid, result })
    if (old?.result !== result) this.changed.emit(uid)
  }

  #tell(kind: ProbeKind, { outcome, output }: ProbeAnswer, { pod, container }: ProbeTarget): void {
    const about = containerReference(pod, container.name)
    const title = `${TITLES[kind]} probe`
    if (outcome === 'failure') this.#deps.events.event(about, 'Warning', 'Unhealthy', `${title} failed: ${output}`)
    if (outcome === 'unknown')
      this.#deps.events.event(about, 'Warning', 'Unhealthy', `${title} errored and resulted in unknown state: ${output}`)
    if (outcome === 'warning') this.#deps.events.event(about, 'Warning', 'ProbeWarning', `${title} warning: ${output}`)
  }
}

function longRunning({ spec }: Pod): Container[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]
}

function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  switch (kind) {
    case 'liveness':
      return container.livenessProbe
    case 'readiness':
      return container.readinessProbe
    case 'startup':
      return container.startupProbe
  }
}
