/**
 * Pods that wait to be placed: those to be tried (active), those that wait out a back-off, and those that were refused and wait for
 * something to happen (unschedulable). Each pod is in one of them, or being worked on. Source: `scheduler/backend/queue`.
 */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { deferred, type Deferred } from '../../base/async.ts'
import { EVERYTHING, podEvents, type Happening } from '../framework/events.ts'
import type { Queued } from '../framework/plugin.ts'
import type { Result } from '../framework/status.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { BackoffQueue, type BackoffLimits } from './backoff-queue.ts'
import { KeyedHeap } from './heap.ts'
import type { Hints, Strategy } from './hints.ts'
import type { Nominator } from './nominator.ts'
import { QueuedPod } from './queued-pod.ts'

export interface SchedulingQueueOptions {
  readonly clock: Clock
  readonly hints: Hints
  readonly nominator: Nominator
  less(a: Queued, b: Queued): boolean
  /** `by`: only whether this plugin holds it back. */
  preEnqueue(pod: PodInfo, by?: string): Result
  /** Default 1 s and 10 s. */
  readonly backoff?: BackoffLimits
  /** Called when a pod was held back; with the status of who does. */
  onGated?(pod: QueuedPod, status: NonNullable<Result>): void
}

const BACKOFF: BackoffLimits = { initial: 1000, max: 10_000 }
/** So long a pod stays unschedulable at most without another try, in milliseconds; and how often this is looked at. */
const MAX_UNSCHEDULABLE = 300_000
const FLUSH_EVERY = 30_000
/** More happenings than this during one attempt, and the pod is simply tried again. */
const REMEMBERED = 1000

export type Place = 'active' | 'backoff' | 'unschedulable' | 'in flight'

export class SchedulingQueue implements Disposable {
  readonly nominator: Nominator
  readonly #options: SchedulingQueueOptions
  readonly #clock: Clock
  readonly #active: KeyedHeap<QueuedPod>
  readonly #backoff: BackoffQueue
  readonly #unschedulable = new Map<string, QueuedPod>()
  /** Pods that are being worked on, and what happened meanwhile. */
  readonly #inFlight = new Map<string, { readonly pod: QueuedPod; happenings: Happening[] }>()
  readonly #flushing: Disposable
  #timer: Disposable | null = null
  /** When it fires, in milliseconds of the monotonic clock. */
  #timerAt = 0
  #waiting: Deferred<void> | null = null
  #closed = false

  constructor(options: SchedulingQueueOptions) {
    const { clock, backoff = BACKOFF } = options
    const less = (a: QueuedPod, b: QueuedPod) => options.less(a, b)
    this.#options = options
    this.nominator = options.nominator
    this.#clock = clock
    this.#active = new KeyedHeap(({ uid }) => uid, less)
    this.#backoff = new BackoffQueue(clock, backoff, less, ({ uid }) => this.nominator.nodeOf(uid) !== undefined)
    this.#flushing = clock.setInterval(() => this.#flush(), FLUSH_EVERY, { unref: true })
  }

  get size(): number {
    return this.#active.size + this.#backoff.size + this.#unschedulable.size
  }

  find(uid: string): { readonly pod: QueuedPod; readonly place: Place } | undefined {
    const active = this.#active.get(uid)
    if (active) return { pod: active, place: 'active' }
    const backoff = this.#backoff.get(uid)
    if (backoff) return { pod: backoff, place: 'backoff' }
    const unschedulable = this.#unschedulable.get(uid)
    if (unschedulable) return { pod: unschedulable, place: 'unschedulable' }
    const inFlight = this.#inFlight.get(uid)
    return inFlight && { pod: inFlight.pod, place: 'in flight' }
  }

  /** The next pod to be tried, which must be given back with `done` or `fail`. */
  pop(): QueuedPod | undefined {
    const pod = this.#active.pop() ?? this.#backoff.popEarly()
    if (!pod) return undefined
    pod.attempts++
    this.#inFlight.set(pod.uid, { pod, happenings: [] })
    return pod
  }

  /** Resolves when there may be a pod to pop, or the queue is closed. */
  async ready(): Promise<void> {
    if (this.#closed || this.#active.size > 0) return
    if (!this.#timer) this.#schedule()
    this.#waiting ??= deferred()
    await this.#waiting.promise
  }

  /** A pod that is to be placed, for the first time or again. */
  add(pod: Pod): void {
    const queued = new QueuedPod(new PodInfo(pod), this.#clock.monotonic())
    this.#activate(queued)
    this.nominator.set(queued.info, undefined)
  }

  /** A pod that waits has changed. */
  update(pod: Pod, old: Pod): void {
    const found = this.find(pod.metadata.uid)
    if (!found) return this.add(pod)
    const queued = found.pod
    const before = queued.info
    const info = new PodInfo(pod, before)
    const happenings = podEvents(info, before.pod === old ? before : new PodInfo(old), 'TargetPod').map((event) => ({
      event,
      old,
      now: pod,
    }))
    if (found.place === 'in flight') return this.#remember(pod.metadata.uid, happenings)
    queued.info = info
    this.nominator.update(before, queued.info)
    if (found.place === 'active') this.#active.set(queued)
    else if (found.place === 'backoff') this.#backoff.add(queued)
    else this.#moveIfWorth(queued, happenings)
  }

  /** The pod is gone, or placed. */
  delete(uid: string): void {
    this.nominator.delete(uid)
    this.#active.delete(uid)
    this.#backoff.delete(uid)
    this.#unschedulable.delete(uid)
  }

  /** The pod needs no more attention: it is placed, or gone. */
  done(uid: string): void {
    this.#inFlight.delete(uid)
  }

  /** The attempt came to nothing. `live` is the pod as it is now. Tried again when what happened, or happens, gives reason to. */
  fail(queued: QueuedPod, live: Pod, rejectors: ReadonlySet<string>, pending: ReadonlySet<string>): void {
    const happenings = this.#inFlight.get(queued.uid)?.happenings ?? []
    this.#inFlight.delete(queued.uid)
    const known = this.find(queued.uid)
    if (known) return
    queued.info = new PodInfo(live, queued.info)
    queued.rejectors = rejectors
    queued.pending = pending
    queued.timestamp = this.#clock.monotonic()
    if (queued.isFaulty) {
      queued.faults++
      this.#requeue(queued, 'after back-off')
      return
    }
    queued.refusals++
    queued.faults = 0
    this.#unschedulable.set(queued.uid, queued)
    this.#moveIfWorth(queued, happenings)
  }

  /** Something happened that may let pods be placed that were refused. `only`: of these. */
  move(happening: Happening, only?: (pod: QueuedPod) => boolean): void {
    const { event } = happening
    const everything = event.resource === '*'
    const interested = everything ? null : this.#options.hints.interested(event)
    if (interested?.size === 0) return
    const happenings = [happening]
    for (const pod of this.#concerned(interested)) {
      if (only && !only(pod)) continue
      this.#moveIfWorth(pod, happenings)
    }
    for (const uid of this.#inFlight.keys()) this.#remember(uid, happenings)
  }

  /** Pods that were refused by one of the plugins, or are held back by one of them and not by others; all where it is null. */
  #concerned(interested: ReadonlySet<string> | null): QueuedPod[] {
    const found: QueuedPod[] = []
    for (const pod of this.#unschedulable.values()) {
      const { gate, rejectors, pending } = pod
      const isConcerned =
        !interested || (gate === null ? !interested.isDisjointFrom(rejectors) || !interested.isDisjointFrom(pending) : interested.has(gate))
      if (isConcerned && (gate === null || !interested || !this.#options.preEnqueue(pod.info, gate))) found.push(pod)
    }
    return found
  }

  /** Has one pod tried again soon, whatever refused it. */
  activate(uid: string): void {
    const pod = this.#unschedulable.get(uid) ?? this.#backoff.get(uid)
    if (!pod) return this.#remember(uid, [{ event: EVERYTHING }])
    this.#unschedulable.delete(uid)
    this.#backoff.delete(uid)
    this.#activate(pod)
  }

  [Symbol.dispose](): void {
    this.#closed = true
    this.#flushing[Symbol.dispose]()
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    this.#wake()
  }

  #remember(uid: string, happenings: readonly Happening[]): void {
    const entry = this.#inFlight.get(uid)
    if (!entry) return
    if (entry.happenings.length + happenings.length > REMEMBERED) entry.happenings = [{ event: EVERYTHING }]
    else entry.happenings.push(...happenings)
  }

  #moveIfWorth(pod: QueuedPod, happenings: readonly Happening[]): void {
    const { hints } = this.#options
    for (const happening of happenings) {
      if (pod.gate !== null && happening.event.resource !== '*' && !this.#mayOpen(pod, happening)) continue
      const strategy = hints.strategy(pod, happening)
      if (strategy === 'skip') continue
      this.#requeue(pod, strategy)
      return
    }
  }

  #mayOpen(pod: QueuedPod, { event }: Happening): boolean {
    return this.#options.hints.mayOpen(pod, event) && this.#options.preEnqueue(pod.info, pod.gate ?? undefined) === null
  }

  #requeue(pod: QueuedPod, strategy: Exclude<Strategy, 'skip'>): void {
    this.#unschedulable.delete(pod.uid)
    if (strategy === 'at once' || !this.#backoff.isWaiting(pod)) {
      this.#activate(pod)
      return
    }
    if (this.#isHeldBack(pod)) return
    this.#backoff.add(pod)
    this.#wake()
    if (!this.#timer || this.#backoff.endOf(pod) < this.#timerAt) this.#schedule()
  }

  #activate(pod: QueuedPod): void {
    if (this.#isHeldBack(pod)) return
    this.#unschedulable.delete(pod.uid)
    this.#active.set(pod)
    this.#wake()
  }

  /** Whether a plugin does not let the pod be tried; it stays with the unschedulable ones then. */
  #isHeldBack(pod: QueuedPod): boolean {
    const status = this.#options.preEnqueue(pod.info)
    const wasHeldBack = pod.gate !== null
    pod.gate = status && status.plugin
    if (!status) return false
    pod.rejectors = new Set([...pod.rejectors, status.plugin])
    this.#unschedulable.set(pod.uid, pod)
    if (!wasHeldBack) this.#options.onGated?.(pod, status)
    return true
  }

  /** A timer for the first back-off that ends. */
  #schedule(): void {
    const next = this.#backoff.nextAt()
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    if (next === undefined || this.#closed) return
    this.#timerAt = next
    this.#timer = this.#clock.setTimeout(() => this.#release(), Math.max(0, next - this.#clock.monotonic()))
  }

  #release(): void {
    this.#timer = null
    for (const pod of this.#backoff.popDone()) {
      this.#active.set(pod)
      this.#wake()
    }
    this.#schedule()
  }

  /** Nothing is left behind for ever: what happens may be missed, and hints may be wrong. */
  #flush(): void {
    const now = this.#clock.monotonic()
    for (const pod of [...this.#unschedulable.values()]) {
      if (now - pod.timestamp > MAX_UNSCHEDULABLE) this.#moveIfWorth(pod, [{ event: EVERYTHING }])
    }
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = null
  }
}
