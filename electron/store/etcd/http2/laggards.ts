import type { Clock } from '../../../base/clock.ts'

/** How long what is in no hurry may wait, in milliseconds. */
const WAIT = 100

/** What has something to do that is in no hurry: one timer for all of them. */
export class Laggards implements Disposable {
  readonly #clock: Clock
  #waiting = new Set<() => void>()
  #timer: Disposable | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `work` is called once, soon. */
  add(work: () => void): void {
    this.#waiting.add(work)
    this.#timer ??= this.#clock.setTimeout(() => this.#ring(), WAIT, { unref: true })
  }

  /** It has been done already. */
  remove(work: () => void): void {
    this.#waiting.delete(work)
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#waiting.clear()
  }

  #ring(): void {
    const due = this.#waiting
    this.#waiting = new Set()
    this.#timer = null
    for (const work of due) work()
  }
}
