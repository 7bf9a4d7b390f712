import type { StoreEvent } from '../../../electron/store/store.ts'
import type { History, WatchRecord } from '../history.ts'
import { after, canonical, EMPTY, type State } from '../model/state.ts'
import { short, type Violation } from './violation.ts'

/** A store without any change is at this revision. */
export const FIRST = 1

/** What happened, by revision, as watchers of everything were told. It is what every other answer is compared with. */
export class ChangeLog {
  readonly newest: number
  readonly violations: Violation[] = []
  readonly #events = new Map<number, readonly StoreEvent[]>()
  readonly #states = new Map<number, State>([[FIRST, EMPTY]])

  /** `newest` is the store's revision at the end. */
  constructor({ watches }: History, newest: number) {
    this.newest = newest
    for (const watch of watches) if (seesEverything(watch)) this.#learn(watch)
    for (let revision = FIRST + 1; revision <= newest; revision++) this.#follow(revision)
  }

  eventsAt(revision: number): readonly StoreEvent[] {
    return this.#events.get(revision) ?? []
  }

  /** Undefined before the first and after the last revision. */
  stateAt(revision: number): State | undefined {
    return this.#states.get(revision)
  }

  #learn({ id, batches }: WatchRecord): void {
    for (const { batch } of batches) {
      const { revision, events } = batch
      if (events.length === 0) continue
      const plain = events.map(({ type, kv }) => ({ type, kv }))
      const known = this.#events.get(revision)
      if (!known) this.#events.set(revision, plain)
      else if (known.length < plain.length && isPart(known, plain)) this.#events.set(revision, plain)
      else if (canonical(known) !== canonical(plain) && !isPart(plain, known)) {
        const message = `revision ${revision} was told differently: ${short(known)}, and by watch ${id} ${short(plain)}`
        this.violations.push({ rule: 'history', message })
      }
    }
  }

  #follow(revision: number): void {
    const before = this.#states.get(revision - 1) ?? EMPTY
    const events = this.#events.get(revision)
    if (!events) this.violations.push({ rule: 'gap', message: `nobody was told of revision ${revision}; the newest is ${this.newest}` })
    for (const { type, kv } of events ?? []) {
      const old = before.get(kv.key)
      const fits =
        kv.modRevision === revision &&
        (type === 'delete'
          ? old !== undefined
          : kv.version === (old?.version ?? 0) + 1 && kv.createRevision === (old?.createRevision ?? revision))
      if (!fits) {
        const message = `at revision ${revision} there is ${type} ${short(kv)} on top of ${short(old ?? 'no such key')}`
        this.violations.push({ rule: 'history', message })
      }
    }
    this.#states.set(revision, after(before, events ?? []))
  }
}

export function seesEverything({ request }: WatchRecord): boolean {
  return request.key === '\0' && request.end === '\0' && !request.filter
}

/** A watcher that begins at the compacted revision may, with some engines, not be told of its deletions. */
function isPart(part: readonly StoreEvent[], whole: readonly StoreEvent[]): boolean {
  const all = new Set(whole.map(canonical))
  return part.every((event) => all.has(canonical(event)))
}
