import type { LeaseId } from '../../../electron/store/store.ts'
import type { Operation } from '../history.ts'
import type { Evidence } from './evidence.ts'
import { FIRST } from './change-log.ts'
import { short } from './violation.ts'

/** What may have made a revision that no answer tells of; each can have made only one. */
type Cause = { readonly operation: Operation } | { readonly expired: LeaseId }

/** Every revision that nobody was given must come from a request that was cut off, or from the end of a lease whose time was over. */
export function checkUnclaimed(evidence: Evidence): void {
  const causes: Cause[] = [
    ...evidence.history.operations.filter(({ ending }) => ending === 'unknown').map((operation) => ({ operation })),
    ...evidence.leases.ids().map((expired) => ({ expired })),
  ]
  const possible = new Map<number, Cause[]>()
  for (let revision = FIRST + 1; revision <= evidence.log.newest; revision++) {
    if (evidence.claims.has(revision) || evidence.log.eventsAt(revision).length === 0) continue
    possible.set(
      revision,
      causes.filter((cause) => explains(evidence, cause, revision)),
    )
  }
  const chosen = new Map<Cause, number>()
  for (const revision of possible.keys()) {
    if (assign(revision, possible, chosen, new Set())) continue
    evidence.found('unexplained', unexplained(evidence, revision))
  }
}

/** Finds a cause of its own for each revision, moving others where that helps (augmenting paths). */
function assign(revision: number, possible: ReadonlyMap<number, Cause[]>, chosen: Map<Cause, number>, tried: Set<Cause>): boolean {
  for (const cause of possible.get(revision) ?? []) {
    if (tried.has(cause)) continue
    tried.add(cause)
    const holder = chosen.get(cause)
    if (holder !== undefined && !assign(holder, possible, chosen, tried)) continue
    chosen.set(cause, revision)
    return true
  }
  return false
}

function explains(evidence: Evidence, cause: Cause, revision: number): boolean {
  if ('expired' in cause) return isEndOf(evidence, cause.expired, revision) && timeIsOver(evidence, cause.expired, revision)
  const { operation } = cause
  if (evidence.knowledge.firstSeen(revision).order < operation.begun.order) return false
  if (!evidence.traits.cutOffMayComeLate && comesLater(evidence, operation, revision)) return false
  if (operation.call.type === 'revoke') return isEndOf(evidence, operation.call.id, revision)
  const effect = evidence.effectAt(revision - 1, operation)
  return effect !== null && 'events' in effect && effect.events.length > 0 && evidence.happenedAt(revision, effect.events)
}

/** Whether an earlier revision was asked for only after this operation had ended. */
function comesLater(evidence: Evidence, operation: Operation, revision: number): boolean {
  for (const [claimed, { begun }] of evidence.claims) if (claimed < revision && begun.order > operation.ended.order) return true
  return false
}

function isEndOf(evidence: Evidence, id: LeaseId, revision: number): boolean {
  const events = evidence.endOfLease(id, revision)
  return events.length > 0 && evidence.happenedAt(revision, events)
}

function timeIsOver(evidence: Evidence, id: LeaseId, revision: number): boolean {
  const seen = evidence.knowledge.firstSeen(revision)
  const until = evidence.leases.lastsUntil(id, seen)
  return until === null || seen.ms >= until
}

function unexplained(evidence: Evidence, revision: number): string {
  const events = short(evidence.log.eventsAt(revision))
  const lease = evidence.leases.ids().find((id) => isEndOf(evidence, id, revision))
  if (lease === undefined) return `nobody asked for revision ${revision}: ${events}`
  const seen = evidence.knowledge.firstSeen(revision)
  const left = (evidence.leases.lastsUntil(lease, seen) ?? 0) - seen.ms
  return `lease ${lease} ended ${left.toFixed(0)} ms too early, at revision ${revision}: ${events}`
}
