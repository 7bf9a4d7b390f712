import { type RangeRequest, type RangeResponse, StoreError } from '../store.ts'

/** A key that is cheap to read, whether it is there or not. */
const ONE = { key: '\0', countOnly: true }

/** What etcd has no request for: the newest revision, and the oldest that is still readable. */
export class History {
  readonly #range: (request: RangeRequest) => Promise<RangeResponse>
  /** Everything before this revision is known to be compacted. */
  #compacted = 0

  /** `range` is linearizable. */
  constructor(range: (request: RangeRequest) => Promise<RangeResponse>) {
    this.#range = range
  }

  async newest(): Promise<number> {
    return (await this.#range(ONE)).revision
  }

  /** The least revision that can be read; 0 while nothing is compacted. One request as long as it has not moved, else a search. */
  async compactRevision(): Promise<number> {
    const known = this.#compacted
    if (await this.#readable(Math.max(1, known))) return this.#compacted
    let [tooOld, readable] = [Math.max(1, known), await this.newest()]
    while (readable - tooOld > 1) {
      const middle = Math.floor((tooOld + readable) / 2)
      if (await this.#readable(middle)) readable = middle
      else tooOld = middle
    }
    this.#compacted = Math.max(this.#compacted, readable)
    return this.#compacted
  }

  /**
   * Whether a watcher from `revision` on may be told nothing of it: it is the oldest that is left, and changed nothing that is still
   * there. etcd up to 3.4 forgets the deletions of the revision it was compacted at.
   */
  async mayBeEmpty(revision: number): Promise<boolean> {
    if ((await this.compactRevision()) !== revision) return false
    const filter = { minModRevision: revision, maxModRevision: revision, limit: 1, keysOnly: true }
    return (await this.#range({ key: '\0', end: '\0', revision, ...filter })).kvs.length === 0
  }

  async #readable(revision: number): Promise<boolean> {
    try {
      await this.#range({ ...ONE, revision })
      return true
    } catch (error) {
      if (error instanceof StoreError && error.code === 'compacted') return false
      throw error
    }
  }
}
