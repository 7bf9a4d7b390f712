/** All pods of this node: those that the API server wants here, those on disk while it does not answer, and those that are left over. */
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { pod as podKind } from '../../../api/core/v1/pod.ts'
import type { Checkpoints } from '../../checkpoint/checkpoints.ts'
import type { Admission } from '../admission/admission.ts'
import type { EventSink } from '../events.ts'
import { podReference } from '../events.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { PodCache } from '../pleg/pod-cache.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import type { ProbeManager } from '../probes/probe-manager.ts'
import { isOwnCondition } from '../status/conditions.ts'
import { isEnd } from '../status/pod-status.ts'
import type { StatusManager } from '../status/status-manager.ts'
import { withCondition } from '../sync/resizer.ts'
import type { Allocations } from './allocations.ts'
import { podFromRuntime } from './orphan.ts'
import { PodState } from './pod-state.ts'
import { PodWorker } from './pod-worker.ts'
import type { PodStages } from './pod-worker.ts'

export interface PodManagerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventSink
  readonly nodeName: string
  readonly checkpoints: Checkpoints
  readonly allocations: Allocations
  readonly admission: Admission
  readonly cache: PodCache
  readonly objects: PodObjects
  readonly statuses: StatusManager
  readonly probes: Pick<ProbeManager, 'adopt'>
  readonly stages: PodStages
  /** Labels or annotations of the pod changed: files that show them must follow. */
  readonly onMetadata: (pod: Pod) => void
}

/** Milliseconds until a status that was told is written to disk. */
const STATUS_DELAY = 1000

export class PodManager implements AsyncDisposable {
  readonly #deps: PodManagerDeps
  readonly #workers = new Map<string, PodWorker>()
  /** As wanted by the API, by uid. */
  readonly #desired = new Map<string, Pod>()
  #restoring = false
  readonly #saving = new Map<string, Disposable>()
  /** Admission looks at the pods that were admitted before: one at a time. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(deps: PodManagerDeps) {
    this.#deps = deps
  }

  /** What this node was told last, whether it still runs or not. */
  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  find(namespace: string, name: string): PodWorker | undefined {
    const all = this.#workers.values().filter(({ state }) => state.pod.metadata.name === name && state.pod.metadata.namespace === namespace)
    return [...all].toSorted((a, b) => Number(a.state.removed) - Number(b.state.removed))[0]
  }

  /** What is known of a pod that the runtime has. */
  stateOf(runtime: RuntimePod): PodState {
    return this.#workers.get(runtime.uid)?.state ?? new PodState(podFromRuntime(runtime, this.#deps.nodeName))
  }

  get workers(): readonly PodWorker[] {
    return [...this.#workers.values()]
  }

  /** Pods that hold resources of the node: not those that have ended. */
  active(): Pod[] {
    return this.workers
      .filter(({ stage, state }) => stage === 'running' || stage === 'ending' || !isEnd(state.status.phase))
      .map(({ state }) => state.pod)
  }

  /** Begins with what was last seen, before the API server answers. */
  async restore(): Promise<void> {
    this.#restoring = true
    for (const pod of await this.#deps.checkpoints.loadAll(podKind)) {
      this.#desired.set(pod.metadata.uid, pod)
      this.#enqueue(pod)
    }
    await this.#queue
    this.#restoring = false
  }

  /** The pod is wanted here, so. */
  set(pod: Pod): void {
    const { uid } = pod.metadata
    const before = this.#desired.get(uid)
    this.#desired.set(uid, pod)
    const worker = this.#workers.get(uid)
    const { probes, stages, statuses } = this.#deps
    if (worker?.state.adopt(pod.status)) {
      probes.adopt(pod)
      if (statuses.get(uid)) stages.tell(worker.state)
    }
    statuses.observe(pod)
    // What is wanted is written at once; what was told of it may wait for more.
    if (!before || isChanged(before, pod)) this.#checkpoint(uid, 0)
    else if (before.metadata.resourceVersion !== pod.metadata.resourceVersion) this.#checkpoint(uid, STATUS_DELAY)
    if (before && before.metadata.resourceVersion === pod.metadata.resourceVersion) return
    this.#enqueue(pod)
  }

  /** The API has the pod no more. */
  delete(pod: Pod): void {
    const { uid, name, namespace } = pod.metadata
    this.#desired.delete(uid)
    this.#saving.get(uid)?.[Symbol.dispose]()
    this.#saving.delete(uid)
    void this.#deps.checkpoints.remove(podKind, namespace, name)
    this.#queue = this.#queue.then(() => this.#workers.get(uid)?.remove())
  }

  /** The API server has told of all its pods: what else runs here is left over. */
  async synced(all: readonly Pod[]): Promise<void> {
    const wanted = new Set(all.map(({ metadata }) => metadata.uid))
    for (const pod of this.#desired.values()) if (!wanted.has(pod.metadata.uid)) this.delete(pod)
    await this.#queue
    this.removeOrphans()
  }

  /** Ends what the runtime has of pods that nobody knows. */
  removeOrphans(): void {
    for (const runtime of this.#deps.cache.list()) {
      if (this.#workers.has(runtime.uid) || this.#desired.has(runtime.uid)) continue
      this.#deps.logger.info('a pod is left over', { pod: `${runtime.namespace}/${runtime.name}`, uid: runtime.uid })
      this.#begin(podFromRuntime(runtime, this.#deps.nodeName)).remove()
    }
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake()
  }

  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#saving.values()) timer[Symbol.dispose]()
    await this.#queue
    await Promise.all(this.workers.map((worker) => worker[Symbol.asyncDispose]()))
  }

  #enqueue(pod: Pod): void {
    this.#queue = this.#queue
      .then(() => this.#apply(pod))
      .catch((error: unknown) => this.#deps.logger.error('a pod was not taken over', { uid: pod.metadata.uid, error }))
  }

  #checkpoint(uid: string, delay: number): void {
    if (delay > 0 && this.#saving.has(uid)) return
    this.#saving.get(uid)?.[Symbol.dispose]()
    const save = () => {
      this.#saving.delete(uid)
      const pod = this.#desired.get(uid)
      if (pod) void this.#deps.checkpoints.save(podKind, pod)
    }
    if (delay === 0) save()
    else this.#saving.set(uid, this.#deps.clock.setTimeout(save, delay))
  }

  async #apply(pod: Pod): Promise<void> {
    const { allocations, objects, statuses } = this.#deps
    const { uid } = pod.metadata
    // Later news may have come while this waited for its turn.
    const latest = this.#desired.get(uid)
    if (!latest) return
    const worker = this.#workers.get(uid)
    if (!worker) return this.#admit(latest)
    const before = worker.state.pod
    if (worker.stage === 'running') objects.register(latest)
    if (allocations.differs(latest) && worker.stage === 'running') await this.#considerResize(latest, worker)
    const allocated = allocations.allocated(latest)
    if (isChanged(before, allocated) || conditionsOfOthers(before) !== conditionsOfOthers(latest)) worker.update(allocated)
    if (worker.stage === 'ended') statuses.release(latest, worker.state.status)
    if (!sameMetadata(before, latest)) this.#deps.onMetadata(allocated)
  }

  async #admit(pod: Pod): Promise<void> {
    const { admission, allocations, cache, events, objects } = this.#deps
    const { uid } = pod.metadata
    if (isEnd(pod.status.phase) && !cache.get(uid)) return this.#begin(pod).wake()
    // What runs here was let in before.
    const known = cache.get(uid) !== undefined || pod.status.startTime !== undefined
    const rejection = known || pod.metadata.deletionTimestamp !== undefined ? null : admission.admit(pod, this.active())
    if (rejection) {
      const { reason, message } = rejection
      events.event(podReference(pod), 'Warning', reason, message)
      const worker = this.#begin(pod)
      worker.state.rejected = true
      worker.state.failure = { reason, message: `Pod was rejected: ${message}` }
      return worker.wake()
    }
    await allocations.admit(pod)
    objects.register(pod)
    this.#begin(allocations.allocated(pod)).wake()
  }

  async #considerResize(pod: Pod, worker: PodWorker): Promise<void> {
    const { admission, allocations } = this.#deps
    const { state } = worker
    const others = this.active().filter(({ metadata }) => metadata.uid !== state.uid)
    const refusal = admission.resize(pod, others)
    if (refusal) {
      const { reason, message } = refusal
      state.conditions = withCondition(state, { type: 'PodResizePending', status: 'True', reason, message })
      const title = reason === 'Infeasible' ? 'ResizeInfeasible' : 'ResizeDeferred'
      this.#deps.events.event(podReference(pod), 'Warning', title, message)
      worker.wake()
      return
    }
    await allocations.resize(pod)
    state.conditions = withCondition(state, { type: 'PodResizePending', status: '' })
    state.conditions = withCondition(state, { type: 'PodResizeInProgress', status: 'True' })
  }

  /** There may be room now for what had to wait. */
  #retryResizes(): void {
    for (const [uid, pod] of this.#desired) {
      const worker = this.#workers.get(uid)
      if (worker?.stage !== 'running' || !this.#deps.allocations.differs(pod)) continue
      this.#queue = this.#queue.then(async () => {
        await this.#considerResize(pod, worker)
        worker.update(this.#deps.allocations.allocated(pod))
      })
    }
  }

  #begin(pod: Pod): PodWorker {
    const { clock, logger, stages } = this.#deps
    const { uid } = pod.metadata
    const onCleared = () => {
      this.#workers.delete(uid)
      this.#retryResizes()
    }
    const worker = new PodWorker(new PodState(pod, this.#restoring), { clock, logger, stages, onCleared })
    this.#workers.set(uid, worker)
    return worker
  }
}

/** Whether anything but the status differs. */
function isChanged(before: Pod, pod: Pod): boolean {
  return (
    before.metadata.generation !== pod.metadata.generation ||
    before.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    before.metadata.deletionGracePeriodSeconds !== pod.metadata.deletionGracePeriodSeconds ||
    !sameMetadata(before, pod)
  )
}

/** Readiness gates and the like. */
function conditionsOfOthers({ status }: Pod): string {
  return JSON.stringify((status.conditions ?? []).filter(({ type }) => !isOwnCondition(type)))
}

function sameMetadata(before: Pod, pod: Pod): boolean {
  const text = ({ metadata: { labels, annotations } }: Pod) => JSON.stringify([labels, annotations])
  return text(before) === text(pod)
}
