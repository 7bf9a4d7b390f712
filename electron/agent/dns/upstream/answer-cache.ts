/** Answers of other servers, for as long as they say (RFC 1035, RFC 2308). */
import { RCODE } from '../wire/constants.ts'
import { negativeTtl, type Response } from '../wire/response.ts'

export interface CachedAnswer {
  readonly response: Response
  /** Seconds since it came. */
  readonly age: number
}

interface Entry {
  readonly response: Response
  /** Seconds of a clock that never goes back. */
  readonly storedAt: number
  readonly expiresAt: number
}

export interface CacheLimits {
  readonly entries: number
  readonly bytes: number
}

/** Seconds. Longer ones are of no use on machines that come and go between networks. */
const LONGEST = 3600
const LONGEST_NEGATIVE = 60

export class AnswerCache {
  readonly #seconds: () => number
  readonly #limits: CacheLimits
  /** In order of their last use. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  /** `seconds`: of a clock that never goes back. */
  constructor(seconds: () => number, limits: CacheLimits) {
    this.#seconds = seconds
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): CachedAnswer | null {
    const entry = this.#entries.get(key)
    if (!entry) return null
    const now = this.#seconds()
    if (now >= entry.expiresAt) {
      this.#delete(key)
      return null
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return { response: entry.response, age: Math.floor(now - entry.storedAt) }
  }

  /** Does nothing with an answer that may not be kept. */
  put(key: string, response: Response): void {
    this.#delete(key)
    const ttl = lifetime(response)
    if (ttl <= 0 || response.bytes.length > this.#limits.bytes) return
    const storedAt = this.#seconds()
    this.#entries.set(key, { response, storedAt, expiresAt: storedAt + ttl })
    this.#bytes += response.bytes.length
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break
      this.#delete(oldest)
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.response.bytes.length ?? 0
    this.#entries.delete(key)
  }
}

/** Seconds. */
function lifetime(response: Response): number {
  const { rcode, truncated, records, counts } = response
  if (truncated || (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)) return 0
  if (rcode === RCODE.NXDOMAIN || counts[0] === 0) return Math.min(negativeTtl(response) ?? 0, LONGEST_NEGATIVE)
  return Math.min(LONGEST, ...records.map(({ ttl }) => ttl))
}
