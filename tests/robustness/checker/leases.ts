import type { Operation } from '../history.ts'
import { canonical } from '../model/state.ts'
import { attached, type Evidence } from './evidence.ts'
import { say, short } from './violation.ts'

/** A lease is there from when it was granted until its time is over or it is revoked, and not afterwards; so are its keys. */
export function checkLeases(evidence: Evidence): void {
  for (const operation of evidence.history.operations) {
    if (operation.ending === 'answered') checkAnswer(evidence, operation)
  }
  for (const [revision, operation] of evidence.claims) {
    for (const { type, kv } of evidence.log.eventsAt(revision)) {
      if (type === 'delete' || kv.lease === 0n || !evidence.leases.mustBeMissing(kv.lease, operation.begun, operation.ended)) continue
      evidence.found('lease', `lease ${kv.lease} cannot be there any more: ${say(operation)}`)
    }
  }
  const end = evidence.history.now()
  for (const { key, lease } of evidence.log.stateAt(evidence.log.newest)?.values() ?? []) {
    if (lease !== 0n && evidence.leases.mustBeMissing(lease, end, end))
      evidence.found('lease', `the key ${short(key)} outlives its lease ${lease}`)
  }
}

function checkAnswer(evidence: Evidence, operation: Operation): void {
  const { call, begun, ended } = operation
  const { leases } = evidence
  switch (call.type) {
    case 'keepAlive':
      if (leases.mustBeMissing(call.id, begun, ended))
        evidence.found('lease', `lease ${call.id} cannot be there any more: ${say(operation)}`)
      return
    case 'leases': {
      const told = new Set(call.answer)
      for (const id of told) {
        if (leases.mustBeMissing(id, begun, ended)) evidence.found('lease', `lease ${id} cannot be there: ${say(operation)}`)
      }
      for (const id of leases.ids()) {
        if (!told.has(id) && !leases.mayBeMissing(id, begun, ended)) evidence.found('lease', `lease ${id} is missing: ${say(operation)}`)
      }
      return
    }
    case 'timeToLive':
      return checkTimeToLive(evidence, operation, call)
    default:
      return
  }
}

function checkTimeToLive(
  evidence: Evidence,
  operation: Operation,
  { id, answer }: Extract<Operation['call'], { type: 'timeToLive' }>,
): void {
  if (!answer) return
  const { leases, knowledge, log } = evidence
  const { begun, ended } = operation
  if (answer.ttl < 0) {
    if (!leases.mayBeMissing(id, begun, ended)) evidence.found('lease', `lease ${id} is missing: ${say(operation)}`)
    return
  }
  if (leases.mustBeMissing(id, begun, ended)) return evidence.found('lease', `lease ${id} cannot be there: ${say(operation)}`)
  const least = ((leases.lastsUntil(id, begun) ?? 0) - ended.ms) / 1000 - 1
  if (answer.grantedTtl !== leases.ttl(id) || answer.ttl > answer.grantedTtl || answer.ttl < least) {
    evidence.found('lease', `lease ${id} of ${leases.ttl(id)} s has at least ${least.toFixed(1)} s left: ${say(operation)}`)
  }
  const told = canonical(answer.keys)
  for (let revision = Math.max(1, knowledge.before(begun)); revision <= log.newest; revision++) {
    if (canonical(attached(log.stateAt(revision), id)) === told) return
  }
  evidence.found('lease', `no revision since ${knowledge.before(begun)} has these keys at lease ${id}: ${say(operation)}`)
}
