import type { LeaseId, StoreEvent } from '../../../electron/store/store.ts'
import type { History, Operation } from '../history.ts'
import { canonical, type State } from '../model/state.ts'
import { deletion, type Effect, effectOf } from '../model/transaction.ts'
import type { EngineTraits } from '../run/server.ts'
import { ChangeLog } from './change-log.ts'
import { Compactions } from './compactions.ts'
import { Knowledge } from './knowledge.ts'
import { LeaseBook } from './lease-book.ts'
import { say, type Violation } from './violation.ts'

/** What the checks share: the history, and what follows from it. */
export class Evidence {
  readonly history: History
  readonly traits: EngineTraits
  readonly log: ChangeLog
  readonly knowledge: Knowledge
  readonly compactions: Compactions
  readonly leases: LeaseBook
  readonly violations: Violation[]
  /** Which answered operation made which revision. */
  readonly claims = new Map<number, Operation>()

  /** `newest` is the store's revision at the end. */
  constructor(history: History, traits: EngineTraits, newest: number) {
    this.history = history
    this.traits = traits
    this.log = new ChangeLog(history, newest)
    this.knowledge = new Knowledge(history)
    this.compactions = new Compactions(history)
    this.leases = new LeaseBook(history)
    this.violations = [...this.log.violations]
  }

  found(rule: Violation['rule'], message: string): void {
    this.violations.push({ rule, message })
  }

  /** This operation made this revision. */
  claim(revision: number, operation: Operation): void {
    const other = this.claims.get(revision)
    if (other) this.found('reused', `revision ${revision} was given to two: ${say(other)} and ${say(operation)}`)
    this.claims.set(revision, operation)
  }

  /** What the transaction does, if `revision` is the newest before it. */
  effectAt(revision: number, operation: Operation): Effect | null {
    const state = this.log.stateAt(revision)
    if (operation.call.type !== 'txn' || !state) return null
    return effectOf(operation.call.request, { revision, state, at: (past) => this.log.stateAt(past) })
  }

  happenedAt(revision: number, events: readonly StoreEvent[]): boolean {
    return canonical(this.log.eventsAt(revision)) === canonical(events)
  }

  /** What ending a lease does at a revision: all its keys go, in their order. */
  endOfLease(id: LeaseId, revision: number): StoreEvent[] {
    return attached(this.log.stateAt(revision - 1), id).map((key) => deletion(key, revision))
  }
}

export function attached(state: State | undefined, id: LeaseId): string[] {
  return [...(state?.values() ?? [])].filter(({ lease }) => lease === id).map(({ key }) => key)
}
