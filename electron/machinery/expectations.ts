/**
 * What a controller did and has not seen yet. Between creating a pod and seeing it in the informer, a controller that looked again
 * would create another; so it waits until its expectations are met, or have waited so long that something was missed. Source:
 * kubernetes `pkg/controller.ControllerExpectations`.
 */
import type { Clock } from '../base/clock.ts'

/** After this, an expectation no longer holds anyone up. */
const TIMEOUT_MS = 5 * 60_000

interface Expectation {
  creations: number
  deletions: number
  /** Of the objects whose deletion is awaited; each counts once. */
  readonly uids: Set<string>
  readonly since: number
}

/** By the key of the object that owns what is created and deleted. */
export class Expectations {
  readonly #clock: Clock
  readonly #timeout: number
  readonly #keys = new Map<string, Expectation>()

  constructor(clock: Clock, timeoutMs = TIMEOUT_MS) {
    this.#clock = clock
    this.#timeout = timeoutMs
  }

  /** Replaces what was expected before. */
  expectCreations(key: string, count: number): void {
    this.#keys.set(key, { creations: count, deletions: 0, uids: new Set(), since: this.#clock.monotonic() })
  }

  /** The same by number, for objects that are not known by name. */
  expectDeletionCount(key: string, count: number): void {
    this.#keys.set(key, { creations: 0, deletions: count, uids: new Set(), since: this.#clock.monotonic() })
  }

  /** Replaces what was expected before. A deletion that is seen more than once counts once. */
  expectDeletions(key: string, uids: Iterable<string>): void {
    const set = new Set(uids)
    this.#keys.set(key, { creations: 0, deletions: set.size, uids: set, since: this.#clock.monotonic() })
  }

  /** More of the same, on top of what is expected. */
  raise(key: string, creations: number, deletions: number): void {
    const expectation = this.#keys.get(key)
    if (!expectation) return
    expectation.creations += creations
    expectation.deletions += deletions
  }

  /** Also to be called when a creation failed: it will never be seen. */
  creationObserved(key: string): void {
    const expectation = this.#keys.get(key)
    if (expectation) expectation.creations--
  }

  /** Also to be called when a deletion failed. */
  deletionObserved(key: string, uid?: string): void {
    const expectation = this.#keys.get(key)
    if (!expectation) return
    if (uid === undefined) expectation.deletions--
    else if (expectation.uids.delete(uid)) expectation.deletions--
  }

  /** Whether the owner may be reconciled: all is seen, nothing was expected, or it has taken too long. */
  satisfied(key: string): boolean {
    return this.untilSatisfied(key) === null
  }

  /**
   * Milliseconds after which the owner may be reconciled whatever is seen; null: it may be now. What was made and is gone before a
   * watch told of it is never seen, so that who waits has to look again by himself.
   */
  untilSatisfied(key: string): number | null {
    const expectation = this.#keys.get(key)
    if (!expectation || (expectation.creations <= 0 && expectation.deletions <= 0)) return null
    const left = expectation.since + this.#timeout - this.#clock.monotonic()
    return left < 0 ? null : left + 1
  }

  /** The owner is gone. */
  forget(key: string): void {
    this.#keys.delete(key)
  }
}
