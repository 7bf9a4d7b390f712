/** Pods that wait out their back-off. Source: `scheduler/backend/queue/backoff_queue.go`. Times are in milliseconds, monotonic. */
import type { Clock } from '../../base/clock.ts'
import { KeyedHeap } from './heap.ts'
import type { QueuedPod } from './queued-pod.ts'

export interface BackoffLimits {
  readonly initial: number
  readonly max: number
}

/** Pods whose back-off ends within one such window count as ending together: the more important comes first. */
const WINDOW = 1000
/** Pods that were refused may be tried before their time while nothing else is to do: so many a second, so that it stays little. */
const EARLY_PER_SECOND = 100

export class BackoffQueue {
  readonly #clock: Clock
  readonly #limits: BackoffLimits
  /** Refused, and met by a fault: only the former may be tried early, because faults tell of a server in need of rest. */
  readonly #refused: KeyedHeap<QueuedPod>
  readonly #faulty: KeyedHeap<QueuedPod>
  /** Refused, and a node was promised to them: room was made there, which is theirs to take as soon as nothing else is to do. */
  readonly #promised: KeyedHeap<QueuedPod>
  readonly #isPromised: (pod: QueuedPod) => boolean
  #early = EARLY_PER_SECOND
  #earlyAt: number

  constructor(
    clock: Clock,
    limits: BackoffLimits,
    less: (a: QueuedPod, b: QueuedPod) => boolean,
    isPromised: (pod: QueuedPod) => boolean = () => false,
  ) {
    this.#isPromised = isPromised
    this.#clock = clock
    this.#limits = limits
    this.#earlyAt = clock.monotonic()
    const windowOf = (pod: QueuedPod) => Math.floor(this.endOf(pod) / WINDOW)
    const key = ({ uid }: QueuedPod) => uid
    const earlier = (a: QueuedPod, b: QueuedPod) => {
      const [x, y] = [windowOf(a), windowOf(b)]
      return x !== y ? x < y : less(a, b)
    }
    this.#refused = new KeyedHeap(key, earlier)
    this.#promised = new KeyedHeap(key, earlier)
    this.#faulty = new KeyedHeap(key, (a, b) => this.endOf(a) < this.endOf(b))
  }

  get size(): number {
    return this.#refused.size + this.#promised.size + this.#faulty.size
  }

  values(): QueuedPod[] {
    return [...this.#refused.values(), ...this.#promised.values(), ...this.#faulty.values()]
  }

  get(uid: string): QueuedPod | undefined {
    return this.#refused.get(uid) ?? this.#promised.get(uid) ?? this.#faulty.get(uid)
  }

  add(pod: QueuedPod): void {
    this.delete(pod.uid)
    if (pod.isFaulty) this.#faulty.set(pod)
    else if (this.#isPromised(pod)) this.#promised.set(pod)
    else this.#refused.set(pod)
  }

  delete(uid: string): QueuedPod | undefined {
    return this.#refused.delete(uid) ?? this.#promised.delete(uid) ?? this.#faulty.delete(uid)
  }

  /** 1 s, doubled with each time, at most 10 s, by default. */
  durationOf({ refusals, faults }: QueuedPod): number {
    const count = faults > 0 ? faults : refusals
    return count === 0 ? 0 : Math.min(this.#limits.initial * 2 ** (count - 1), this.#limits.max)
  }

  endOf(pod: QueuedPod): number {
    return pod.timestamp + this.durationOf(pod)
  }

  isWaiting(pod: QueuedPod): boolean {
    return this.endOf(pod) > this.#clock.monotonic()
  }

  /** Takes out those whose time is over. */
  popDone(): QueuedPod[] {
    const done: QueuedPod[] = []
    const now = this.#clock.monotonic()
    for (const pod of this.values()) if (this.endOf(pod) <= now) done.push(pod)
    for (const { uid } of done) this.delete(uid)
    return done
  }

  /** Takes out one that was refused and is to wait still, if there is one and leave to do so. */
  popEarly(): QueuedPod | undefined {
    if (this.#promised.size > 0) return this.#promised.pop()
    if (this.#refused.size === 0) return undefined
    const now = this.#clock.monotonic()
    this.#early = Math.min(EARLY_PER_SECOND, this.#early + ((now - this.#earlyAt) * EARLY_PER_SECOND) / 1000)
    this.#earlyAt = now
    if (this.#early < 1) return undefined
    this.#early--
    return this.#refused.pop()
  }

  /** When there may be something to pop; undefined if nothing waits. */
  nextAt(): number | undefined {
    let next: number | undefined
    for (const pod of this.values()) next = Math.min(next ?? Number.POSITIVE_INFINITY, this.endOf(pod))
    return next
  }
}
