import type { LeaseId, Op, TxnRequest } from '../../../electron/store/store.ts'
import type { Operation } from '../history.ts'
import type { FaultIntent, FaultKind } from '../schedule/intents.ts'
import type { Evidence } from './evidence.ts'
import { say } from './violation.ts'

const HARMLESS_TO_HISTORY: ReadonlySet<FaultKind> = new Set(['pause', 'slowDisk', 'shortWrites'])

/** A request may only be refused for a reason that there was. */
export function checkRefusals(evidence: Evidence): void {
  const faults = new Set(evidence.history.faults.map(({ what }): FaultKind => (JSON.parse(what) as FaultIntent).kind))
  for (const operation of evidence.history.operations) {
    if (operation.ending === 'answered' || hasReason(evidence, operation, faults)) continue
    evidence.found('refusal', `it was refused without a reason (${operation.message}): ${say(operation)}`)
  }
}

function hasReason(evidence: Evidence, operation: Operation, faults: ReadonlySet<FaultKind>): boolean {
  const { call, begun, ended, ending } = operation
  switch (ending) {
    case 'unknown':
      return faults.size > 0
    case 'closed':
      return faults.has('close') || faults.has('syncError') || faults.has('writeError') || faults.has('full')
    case 'noSpace':
      return faults.has('full') && call.type !== 'range' && call.type !== 'past'
    case 'compacted':
      // The history is kept as far as it can be: a failing disk, or an end before it was begun, may cost it.
      if (call.type === 'past') return [...faults].some((kind) => !HARMLESS_TO_HISTORY.has(kind))
      if (call.type === 'compact') return evidence.compactions.mayBeAt(call.revision, ended, operation.id)
      return revisionsIn(operation).some((revision) => evidence.compactions.mayBeAt(revision + 1, ended))
    case 'futureRevision':
      return revisionsIn(operation).some((revision) => revision > evidence.knowledge.before(begun))
    case 'leaseNotFound':
      return leasesIn(operation).some((id) => evidence.leases.mayBeMissing(id, begun, ended, operation.id))
    case 'keyNotFound':
      return meetsMissingKey(evidence, operation)
    default:
      return false
  }
}

/** Whether there was a state, while the request was under way, on which it is to be refused. */
function meetsMissingKey(evidence: Evidence, operation: Operation): boolean {
  for (let revision = Math.max(1, evidence.knowledge.before(operation.begun)); revision <= evidence.log.newest; revision++) {
    const effect = evidence.effectAt(revision, operation)
    if (effect && 'refused' in effect && effect.refused === 'keyNotFound') return true
    const next = evidence.claims.get(revision + 1)
    if (next && next.begun.order > operation.ended.order) return false
  }
  return false
}

function revisionsIn({ call }: Operation): number[] {
  if (call.type === 'range' || call.type === 'past') return call.request.revision ? [call.request.revision] : []
  if (call.type === 'compact') return [call.revision]
  return call.type === 'txn' ? opsOf(call.request).flatMap((op) => (op.type === 'range' && op.revision ? [op.revision] : [])) : []
}

function leasesIn({ call }: Operation): LeaseId[] {
  if (call.type === 'keepAlive' || call.type === 'revoke') return [call.id]
  return call.type === 'txn' ? opsOf(call.request).flatMap((op) => (op.type === 'put' && op.lease ? [op.lease] : [])) : []
}

function opsOf({ success, failure = [] }: TxnRequest): Op[] {
  return [...success, ...failure].flatMap((op) => (op.type === 'txn' ? opsOf(op) : [op]))
}
