/**
 * Seats of one priority level, and the queues before them. Flows are served as if each had an equal part of the seats: a queue that was
 * served less goes first. Source: KEP-1040, "fair queuing for server requests". Times are in milliseconds.
 */
import type { Clock } from '../../base/clock.ts'

export interface QueueSettings {
  /** 0: nobody waits, and who finds no seat is refused. */
  readonly queues: number
  /** Requests that may wait in one queue. */
  readonly lengthLimit: number
  /** How long one may wait. */
  readonly patience: number
}

/** Why a request was not served, as metrics name it. */
export type RefusalReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

export interface Applicant {
  /** Indexes of the queues that its flow may use. */
  readonly hand: readonly number[]
  /** Seats. */
  readonly width: number
  readonly signal: AbortSignal
}

/** A place that was given; to be left once. */
export interface Place {
  /** `now` of the clock's monotonic time. */
  leave(now: number): void
}

export type Verdict = Place | RefusalReason

interface Queue {
  readonly index: number
  readonly waiting: Waiting[]
  executing: number
  /** Seats that are wanted or taken. */
  load: number
  /** In virtual time: when its next request would begin if each queue were served at the same rate. */
  start: number
}

interface Waiting {
  readonly width: number
  readonly since: number
  grant(place: Place): void
}

/** What a request is taken to last before it has shown how long it does. */
const GUESS = 3
const NO_QUEUE: Queue = { index: -1, waiting: [], executing: 0, load: 0, start: 0 }

export class FairQueues {
  readonly #clock: Clock
  /** Told of each change of the seats that are wanted or taken. */
  readonly #onDemand: (seats: number, now: number) => void
  #settings: QueueSettings = { queues: 0, lengthLimit: 0, patience: 0 }
  #limit = 0
  #queues: Queue[] = []
  /** Those in which somebody waits. */
  readonly #waited = new Set<Queue>()
  #taken = 0
  #executing = 0
  #waiting = 0
  #waitingSeats = 0
  /** Queues with anybody in them. */
  #active = 0
  #virtual = 0
  #updated: number

  constructor(clock: Clock, onDemand: (seats: number, now: number) => void) {
    this.#clock = clock
    this.#onDemand = onDemand
    this.#updated = clock.monotonic()
  }

  get taken(): number {
    return this.#taken
  }

  get executing(): number {
    return this.#executing
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Who waits already keeps its place. */
  configure(settings: QueueSettings): void {
    if (settings.queues !== this.#settings.queues) {
      this.#queues = Array.from({ length: settings.queues }, (_, index) => ({
        index,
        waiting: [],
        executing: 0,
        load: 0,
        start: this.#virtual,
      }))
    }
    this.#settings = settings
  }

  set limit(seats: number) {
    if (seats === this.#limit) return
    this.#advance(this.#clock.monotonic())
    this.#limit = seats
    this.#dispatch()
  }

  /** At once if there is room and nobody waits. */
  enter(applicant: Applicant, now: number): Verdict | Promise<Verdict> {
    this.#advance(now)
    const { width } = applicant
    if (this.#settings.queues === 0) return this.#fits(width) ? this.#seat(NO_QUEUE, width, now) : 'concurrency-limit'
    const queue = this.#shortest(applicant.hand)
    if (this.#waiting === 0 && this.#fits(width)) return this.#seat(queue, width, now)
    if (queue.waiting.length >= this.#settings.lengthLimit) return 'queue-full'
    const place = this.#wait(queue, applicant, now)
    this.#dispatch()
    return place
  }

  /** Each queue in use, for who wants to see. */
  *dump(): Generator<{ index: number; waiting: number; executing: number; seats: number; virtualStart: number; since: readonly number[] }> {
    for (const { index, waiting, executing, load, start } of new Set([...this.#queues, ...this.#waited])) {
      if (load === 0) continue
      yield { index, waiting: waiting.length, executing, seats: load, virtualStart: start, since: waiting.map(({ since }) => since) }
    }
  }

  /** One that is wider than all seats is served alone. */
  #fits(width: number): boolean {
    return this.#taken + width <= this.#limit || (this.#taken === 0 && this.#limit > 0)
  }

  #shortest(hand: readonly number[]): Queue {
    let found: Queue | undefined
    for (const index of hand) {
      const queue = this.#queues[index]
      if (queue && (!found || queue.load < found.load)) found = queue
    }
    if (!found) throw new Error('a flow has a hand of other queues than there are')
    return found
  }

  /** Virtual time goes as fast as each queue in use is served. */
  #advance(now: number): void {
    if (this.#active > 0) this.#virtual += ((now - this.#updated) * Math.min(this.#taken + this.#waitingSeats, this.#limit)) / this.#active
    this.#updated = now
  }

  #join(queue: Queue, width: number): void {
    if (queue === NO_QUEUE) return
    if (queue.load === 0) {
      this.#active++
      // An idle queue has saved nothing up.
      queue.start = Math.max(queue.start, this.#virtual)
    }
    queue.load += width
  }

  #part(queue: Queue, width: number): void {
    if (queue === NO_QUEUE) return
    queue.load -= width
    if (queue.load === 0) this.#active--
  }

  #seat(queue: Queue, width: number, now: number): Place {
    this.#join(queue, width)
    return this.#serve(queue, width, now)
  }

  #serve(queue: Queue, width: number, begun: number): Place {
    this.#taken += width
    this.#executing++
    this.#onDemand(this.#taken + this.#waitingSeats, begun)
    if (queue !== NO_QUEUE) {
      queue.executing++
      queue.start += GUESS * width
    }
    return {
      leave: (now) => {
        this.#advance(now)
        this.#taken -= width
        this.#executing--
        this.#part(queue, width)
        if (queue !== NO_QUEUE) {
          queue.executing--
          queue.start += (now - begun - GUESS) * width
        }
        this.#onDemand(this.#taken + this.#waitingSeats, now)
        if (this.#waiting > 0) this.#dispatch()
      },
    }
  }

  #wait(queue: Queue, { width, signal }: Applicant, since: number): Promise<Verdict> {
    const { promise, resolve } = Promise.withResolvers<Verdict>()
    const giveUp = (reason: RefusalReason) => {
      const at = queue.waiting.indexOf(waiting)
      if (at < 0) return
      const now = this.#clock.monotonic()
      this.#advance(now)
      queue.waiting.splice(at, 1)
      this.#unwait(queue, width)
      this.#part(queue, width)
      this.#onDemand(this.#taken + this.#waitingSeats, now)
      settle(reason)
      // Who comes next may be narrower.
      this.#dispatch()
    }
    const onAbort = () => giveUp('cancelled')
    const timer = this.#clock.setTimeout(() => giveUp('time-out'), this.#settings.patience, { unref: true })
    const settle = (verdict: Verdict) => {
      timer[Symbol.dispose]()
      signal.removeEventListener('abort', onAbort)
      resolve(verdict)
    }
    const waiting: Waiting = { width, since, grant: settle }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#join(queue, width)
    queue.waiting.push(waiting)
    this.#waited.add(queue)
    this.#waiting++
    this.#waitingSeats += width
    this.#onDemand(this.#taken + this.#waitingSeats, since)
    if (signal.aborted) giveUp('cancelled')
    return promise
  }

  #unwait(queue: Queue, width: number): void {
    this.#waiting--
    this.#waitingSeats -= width
    if (queue.waiting.length === 0) this.#waited.delete(queue)
  }

  #dispatch(): void {
    for (;;) {
      const queue = this.#next()
      const first = queue?.waiting[0]
      if (!queue || !first || !this.#fits(first.width)) return
      queue.waiting.shift()
      this.#unwait(queue, first.width)
      first.grant(this.#serve(queue, first.width, this.#clock.monotonic()))
    }
  }

  /** The queue whose first request would be through soonest. */
  #next(): Queue | undefined {
    let found: Queue | undefined
    let soonest = Number.POSITIVE_INFINITY
    for (const queue of this.#waited) {
      const end = queue.start + GUESS * (queue.waiting[0]?.width ?? 0)
      if (end < soonest) {
        soonest = end
        found = queue
      }
    }
    return found
  }
}
