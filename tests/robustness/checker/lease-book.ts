import type { LeaseId } from '../../../electron/store/store.ts'
import type { History, Moment, Operation } from '../history.ts'

/** Clocks of two processes are read one after the other; milliseconds. */
const READING = 5

interface Entry {
  grants: Operation[]
  renewals: Operation[]
  revocations: Operation[]
  /** Requests for its end that were told there is no such lease. */
  missed: Operation[]
}

/** What is known of each lease: when it must have been there, and when it cannot have been. */
export class LeaseBook {
  readonly #entries = new Map<LeaseId, Entry>()

  constructor({ operations }: History) {
    for (const operation of operations) {
      const { call, ending } = operation
      if (call.type !== 'grant' && call.type !== 'keepAlive' && call.type !== 'revoke') continue
      const entry = this.#entries.get(call.id) ?? { grants: [], renewals: [], revocations: [], missed: [] }
      this.#entries.set(call.id, entry)
      if (ending === 'leaseNotFound' && call.type === 'revoke') entry.missed.push(operation)
      if (ending !== 'answered' && ending !== 'unknown') continue
      if (call.type === 'grant') entry.grants.push(operation)
      if (call.type === 'revoke') entry.revocations.push(operation)
      if (call.type === 'keepAlive' && ending === 'answered') entry.renewals.push(operation)
    }
  }

  ids(): LeaseId[] {
    return [...this.#entries.keys()]
  }

  /** Granted seconds, or null if nobody asked for the lease. */
  ttl(id: LeaseId): number | null {
    const call = this.#entries.get(id)?.grants[0]?.call
    return call?.type === 'grant' ? (call.answer?.ttl ?? call.ttl) : null
  }

  /** Until when, in milliseconds, the lease lasts at least, by what was answered before `moment`; null if it need not be there at all. */
  lastsUntil(id: LeaseId, moment: Moment): number | null {
    const entry = this.#entries.get(id)
    const ttl = this.ttl(id)
    const grant = entry?.grants.find(({ ending, ended }) => ending === 'answered' && ended.order < moment.order)
    if (!entry || !grant || ttl === null) return null
    const begun = entry.renewals.filter(({ ended }) => ended.order < moment.order).map((renewal) => renewal.begun.ms)
    return Math.max(grant.begun.ms, ...begun) + ttl * 1000 - READING
  }

  /** Whether a request from `begun` to `ended` may rightly find no such lease. `except` is that request. */
  mayBeMissing(id: LeaseId, begun: Moment, ended: Moment, except = 0): boolean {
    const until = this.lastsUntil(id, begun)
    if (until === null || until <= ended.ms) return true
    return this.#entries.get(id)?.revocations.some((one) => one.id !== except && one.begun.order < ended.order) ?? false
  }

  /** Whether a request from `begun` to `ended` can certainly not find the lease. */
  mustBeMissing(id: LeaseId, begun: Moment, ended: Moment): boolean {
    const entry = this.#entries.get(id)
    if (!entry?.grants.some((grant) => grant.begun.order < ended.order)) return true
    if (entry.revocations.some((one) => one.ending === 'answered' && one.ended.order < begun.order)) return true
    const granted = entry.grants.find(({ ending }) => ending === 'answered')
    return granted !== undefined && entry.missed.some((one) => one.begun.order > granted.ended.order && one.ended.order < begun.order)
  }
}
