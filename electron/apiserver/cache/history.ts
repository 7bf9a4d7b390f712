import type { CacheEvent } from './frame.ts'

/** Events are kept for at least so many calls of `age`. */
const TICKS = 5
/** So many are kept however old they are. */
const ALWAYS = 128

/** The last events of a resource, oldest first: bounded in number, in age and in bytes of the values that only they hold. */
export class History {
  #events: CacheEvent[] = []
  #head = 0
  #bytes = 0
  #since: number
  /** How many were added and dropped, ever. */
  #added = 0
  #dropped = 0
  /** How many had been added at the last calls of `age`, oldest first. */
  #marks: number[] = []
  readonly #maxEvents: number
  readonly #maxBytes: number

  constructor(since = 0, maxEvents = 16_384, maxBytes = 32 << 20) {
    this.#since = since
    this.#maxEvents = maxEvents
    this.#maxBytes = maxBytes
  }

  /** All events after this revision are here. */
  get since(): number {
    return this.#since
  }

  add(event: CacheEvent): void {
    this.#events.push(event)
    this.#bytes += held(event)
    this.#added++
    while (this.#events.length - this.#head > this.#maxEvents || (this.#bytes > this.#maxBytes && this.#head < this.#events.length))
      this.#drop()
  }

  after(revision: number): readonly CacheEvent[] {
    let low = this.#head
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1
      else high = middle
    }
    return this.#events.slice(low)
  }

  /** To be called at a steady pace: forgets what has been here for too long. */
  age(): void {
    this.#marks.push(this.#added)
    if (this.#marks.length <= TICKS) return
    const old = Math.min(this.#marks.shift() as number, this.#added - ALWAYS)
    while (this.#dropped < old) this.#drop()
    this.#release()
  }

  /** Forgets all; `since` starts anew. */
  restart(since: number): void {
    this.#dropped = this.#added
    this.#events = []
    this.#head = 0
    this.#bytes = 0
    this.#since = since
  }

  #drop(): void {
    const event = this.#events[this.#head] as CacheEvent
    this.#since = event.revision
    this.#bytes -= held(event)
    this.#head++
    this.#dropped++
    if (this.#head >= 1024 && this.#head * 2 >= this.#events.length) this.#release()
  }

  /** The places of those that were dropped. */
  #release(): void {
    if (this.#head === 0) return
    this.#events = this.#events.slice(this.#head)
    this.#head = 0
  }
}

function held(event: CacheEvent): number {
  return event.previous?.value.length ?? 0
}
