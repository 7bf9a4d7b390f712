import { type Deferred, deferred } from '../../base/async.ts'
import type { Backend, Proposal } from './backend.ts'

interface Pending {
  readonly proposal: Proposal
  readonly settled: Deferred<void>
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

  /** Resolves when the proposal is durable. */
  submit(proposal: Proposal): Promise<void> {
    const pending: Pending = { proposal, settled: deferred() }
    this.#waiting.push(pending)
    if (this.#backend.depth === 0) this.#flush()
    else this.#schedule()
    return pending.settled.promise
  }

  /** Resolves when all that has been proposed so far is durable; rejects if it was not to be. */
  barrier(): Promise<void> {
    const newest = this.#waiting.at(-1) ?? this.#underWay.at(-1)?.at(-1)
    return newest ? newest.settled.promise : Promise.resolve()
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
    const batch = this.#waiting
    this.#waiting = []
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
  }

  #next(): void {
    if (this.#waiting.length > 0) this.#schedule()
    else if (this.#underWay.length === 0) {
      this.#idle?.resolve()
      this.#idle = null
    }
  }

  #succeed(batch: readonly Pending[]): void {
    for (const { proposal, settled } of batch) {
      this.#onDurable(proposal)
      settled.resolve()
    }
  }

  #failAll(error: unknown): void {
    const lost = [...this.#underWay.flat(), ...this.#waiting]
    this.#underWay = []
    this.#waiting = []
    for (const { proposal } of lost.toReversed()) this.#onFailed(proposal)
    for (const { settled } of lost) settled.reject(error)
  }
}
