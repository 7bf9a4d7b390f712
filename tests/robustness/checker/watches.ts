import type { StoreEvent } from '../../../electron/store/store.ts'
import type { Moment, WatchRecord } from '../history.ts'
import { canonical, covers } from '../model/state.ts'
import type { Evidence } from './evidence.ts'
import { short } from './violation.ts'

/**
 * A watcher is told of every change it wants after where it began, once, in order, all of a revision together; and a progress mark
 * comes after everything up to its revision (etcd's guarantees: ordered, unique, reliable, atomic, resumable, bookmarkable).
 */
export function checkWatches(evidence: Evidence): void {
  for (const watch of evidence.history.watches) {
    checkStart(evidence, watch)
    checkBatches(evidence, watch)
    checkEnding(evidence, watch)
  }
}

function tell(evidence: Evidence, watch: WatchRecord, what: string): void {
  evidence.found('watch', `${what}; watch ${watch.id} of ${watch.client}: ${short(watch.request)}, created at ${watch.created?.revision}`)
}

function checkStart(evidence: Evidence, watch: WatchRecord): void {
  const known = evidence.knowledge.before(watch.begun)
  if (watch.created && watch.created.revision < known) {
    tell(evidence, watch, `it began at revision ${watch.created.revision}, when revision ${known} was known already`)
  }
}

function checkBatches(evidence: Evidence, watch: WatchRecord): void {
  const { request, created, batches } = watch
  // Where one begins now, it is not said before which revision; what came first tells.
  const first = request.startRevision || (created ? created.revision + 1 : (batches[0]?.batch.revision ?? 0))
  let told = first - 1
  for (const { at, batch } of batches) {
    const { revision, events } = batch
    if (revision > evidence.log.newest) return tell(evidence, watch, `it was told of revision ${revision}, which the store has lost`)
    const isMark = events.length === 0
    if (!isMark && revision <= told) return tell(evidence, watch, `revision ${revision} came after revision ${told}`)
    if (isMark && revision < told && revision >= first)
      return tell(evidence, watch, `a mark of revision ${revision} came after revision ${told}`)
    for (let missed = told + 1; missed < revision + (isMark ? 1 : 0); missed++) {
      if (wanted(evidence, watch, missed).every((event) => mayBeForgotten(evidence, event, missed))) continue
      return tell(evidence, watch, `revision ${missed} was left out before ${isMark ? 'the mark of ' : ''}revision ${revision}`)
    }
    if (!isMark) checkEvents(evidence, watch, revision, events, at)
    told = Math.max(told, revision)
  }
}

function checkEvents(evidence: Evidence, watch: WatchRecord, revision: number, events: readonly StoreEvent[], at: Moment): void {
  const expected = wanted(evidence, watch, revision)
  const plain = events.map(({ type, kv }) => canonical({ type, kv }))
  const kept = expected.filter((event) => plain.includes(canonical(event)) || !mayBeForgotten(evidence, event, revision))
  if (canonical(plain) !== canonical(kept.map((event) => canonical(event)))) {
    return tell(evidence, watch, `revision ${revision} should have been ${short(expected)}, not ${short(events)}`)
  }
  const before = evidence.log.stateAt(revision - 1)
  for (const { kv, prevKv } of events) {
    const old = watch.request.prevKv ? before?.get(kv.key) : undefined
    if (!prevKv && evidence.compactions.mayBeAt(revision, at)) continue
    if (canonical(prevKv ?? null) === canonical(old ?? null)) continue
    tell(evidence, watch, `at revision ${revision} the value before should have been ${short(old)}, not ${short(prevKv)}`)
  }
}

function checkEnding(evidence: Evidence, watch: WatchRecord): void {
  const { ending, ended, batches, request } = watch
  switch (ending) {
    case null:
    case 'unavailable':
    case 'closed':
      return
    case 'compacted': {
      const next = (batches.at(-1)?.batch.revision ?? (request.startRevision || 1) - 1) + 1
      if (ended && evidence.compactions.mayBeAt(next + 1, ended)) return
      return tell(evidence, watch, `revision ${next} was said to be compacted`)
    }
    default:
      tell(evidence, watch, `it ended with ${ending}`)
  }
}

function wanted(evidence: Evidence, { request }: WatchRecord, revision: number): StoreEvent[] {
  return evidence.log
    .eventsAt(revision)
    .filter(({ type, kv }) => covers(request, kv.key) && !(type === 'put' ? request.filter?.noPut : request.filter?.noDelete))
}

function mayBeForgotten(evidence: Evidence, { type }: StoreEvent, revision: number): boolean {
  return type === 'delete' && !evidence.traits.keepsCompactedDeletes && evidence.compactions.mayBeExactly(revision)
}
