import { type Deferred, deferred } from '../../base/async.ts'
import type { Backend, Proposal } from './backend.ts'

/** What goes together at most, in proposals and in bytes of values, so that this thread and the backend work at the same time. */
const BATCH = 512
const BATCH_BYTES = 4 * 1024 * 1024

interface Pending {
  readonly proposal: Proposal
  readonly promise: Promise<unknown>
  /** Acknowledges it, with its result. */
  readonly done: () => void
  readonly fail: (error: unknown) => void
}

/**
 * Group commit: proposals wait while the backend is busy and then go to it together. Each is acknowledged when it is durable. If a
 * batch fails, everything proposed since fails with it, because it was worked out on top of what was not kept.
 */
export class Committer {
  readonly #backend: Backend
  readonly #onDurable: (proposal: Proposal) => void
  readonly #onFailed: (proposal: Proposal) => void
  #waiting: Pending[] = []
  #underWay: Pending[][] = []
  #scheduled = false
  #idle: Deferred<void> | null = null

  /** `onDurable` is called oldest first, `onFailed` newest first; both before whoever proposed it hears of it. */
  constructor(deps: { backend: Backend; onDurable: (proposal: Proposal) => void; onFailed: (proposal: Proposal) => void }) {
    this.#backend = deps.backend
    this.#onDurable = deps.onDurable
    this.#onFailed = deps.onFailed
  }

  /** Resolves with `result` when the proposal is durable. */
  submit<T>(proposal: Proposal, result: T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({ proposal, promise, done: () => resolve(result), fail: reject })
    if (this.#backend.depth === 0) this.#flush()
    else this.#schedule()
    return promise
  }

  /** Resolves with `result` when all that has been proposed so far is durable; rejects if it was not to be. */
  barrier<T>(result: T): Promise<T> {
    const newest = this.#waiting.at(-1) ?? this.#underWay.at(-1)?.at(-1)
    return newest ? newest.promise.then(() => result) : Promise.resolve(result)
  }

  /** Resolves when nothing is under way. */
  drained(): Promise<void> {
    if (this.#waiting.length === 0 && this.#underWay.length === 0) return Promise.resolve()
    this.#idle ??= deferred()
    return this.#idle.promise
  }

  /** At the end of this turn of the event loop, so that all who write in it share one batch. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay.length >= this.#backend.depth) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, this.#batchLength())
    const done = this.#backend.commit(batch.map(({ proposal }) => proposal))
    if (done === null) return this.#succeed(batch)
    this.#underWay.push(batch)
    done.then(
      () => {
        if (this.#underWay[0] !== batch) return
        this.#underWay.shift()
        this.#succeed(batch)
        this.#next()
      },
      (error: unknown) => {
        if (this.#underWay[0] !== batch) return
        this.#failAll(error)
        this.#next()
      },
    )
    if (this.#underWay.length < this.#backend.depth) this.#flush()
  }

  #batchLength(): number {
    let bytes = 0
    const end = Math.min(this.#waiting.length, BATCH)
    for (let i = 0; i < end; i++) {
      for (const { size } of this.#waiting[i]?.proposal.changes ?? []) bytes += size
      if (bytes >= BATCH_BYTES) return i + 1
    }
    return end
  }

  #next(): void {
    if (this.#waiting.length > 0) this.#schedule()
    else if (this.#underWay.length === 0) {
      this.#idle?.resolve()
      this.#idle = null
    }
  }

  #succeed(batch: readonly Pending[]): void {
    for (const { proposal, done } of batch) {
      this.#onDurable(proposal)
      done()
    }
  }

  #failAll(error: unknown): void {
    const lost = [...this.#underWay.flat(), ...this.#waiting]
    this.#underWay = []
    this.#waiting = []
    for (const { proposal } of lost.toReversed()) this.#onFailed(proposal)
    for (const { fail } of lost) fail(error)
  }
}
