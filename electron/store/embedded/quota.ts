import type { Logger } from '../../base/logger.ts'
import { StoreError } from '../store.ts'

/** The alarm ends when less than this part of the quota is in use, so that it does not come and go with each write. */
const ENOUGH = 0.9
/** After how many written bytes, as a part of the quota, the database is measured again; and at the most. */
const STEP = 1 / 64
const LONGEST_STEP = 1024 * 1024

/** How much of the disk the store may use. Beyond it only what makes room is accepted. */
export class Quota {
  readonly limit: number
  readonly #measure: () => number
  readonly #logger: Logger
  #unmeasured = 0
  #used: number
  #exceeded = false

  /** `limit` in bytes, 0 for none; `measure`: how many are in use. */
  constructor(deps: { limit: number; measure: () => number; logger: Logger }) {
    this.limit = deps.limit
    this.#measure = deps.measure
    this.#logger = deps.logger
    this.#used = 0
    this.look()
  }

  get exceeded(): boolean {
    return this.#exceeded
  }

  get refusal(): StoreError | null {
    if (!this.#exceeded) return null
    const [used, limit] = [this.#used, this.limit].map(inWords)
    const why = `The store's quota of ${limit} is used up (${used} are in use): only deletions and compactions are accepted.`
    return new StoreError(
      'noSpace',
      `${why} Delete what is not needed, and compact; or give the store a larger quota (flotilla serve --store-quota).`,
    )
  }

  /** So many bytes were added, about. */
  added(bytes: number): void {
    this.#unmeasured += bytes
    if (this.#exceeded || this.#unmeasured >= Math.min(this.limit * STEP, LONGEST_STEP)) this.look()
  }

  /** Measures what is in use. */
  look(): void {
    if (this.limit === 0) return
    this.#unmeasured = 0
    this.#used = this.#measure()
    const exceeded = this.#exceeded ? this.#used >= this.limit * ENOUGH : this.#used > this.limit
    if (exceeded === this.#exceeded) return
    this.#exceeded = exceeded
    const facts = { used: this.#used, quota: this.limit }
    if (exceeded) this.#logger.error('the store is larger than its quota: only deletions and compactions are accepted', facts)
    else this.#logger.info('the store is below its quota again', facts)
  }
}

function inWords(bytes: number): string {
  const mebibytes = bytes / 1024 / 1024
  return mebibytes >= 1024 ? `${(mebibytes / 1024).toFixed(1)} GiB` : `${mebibytes.toFixed(1)} MiB`
}
