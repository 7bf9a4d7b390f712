import type { Clock } from '../../base/clock.ts'
import type { LeaseApi, LeaseId } from '../../store/store.ts'

/** New objects share a lease for so long, so that a thousand events are not a thousand leases; seconds. */
const SHARED_SECONDS = 60
const MAX_OBJECTS = 1000

/** Leases for objects that end by themselves after about `ttl` seconds, and never before. */
export class LeasePool {
  readonly #leases: LeaseApi
  readonly #clock: Clock
  readonly #ttl: number
  #current: Promise<LeaseId> | null = null
  #until = 0
  #objects = 0

  constructor(leases: LeaseApi, clock: Clock, ttl: number) {
    this.#leases = leases
    this.#clock = clock
    this.#ttl = ttl
  }

  get(): Promise<LeaseId> {
    const now = this.#clock.monotonic()
    if (!this.#current || now >= this.#until || this.#objects >= MAX_OBJECTS) {
      this.#until = now + SHARED_SECONDS * 1000
      this.#objects = 0
      this.#current = this.#leases.grant(this.#ttl + SHARED_SECONDS).then(({ id }) => id)
      this.#current.catch(() => (this.#current = null))
    }
    this.#objects++
    return this.#current
  }
}
