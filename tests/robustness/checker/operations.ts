import type { Operation } from '../history.ts'
import { answerRange, canonical } from '../model/state.ts'
import { attached, type Evidence } from './evidence.ts'
import { say, short } from './violation.ts'

/** Every answer must be what the state at its revision says, and its revision must fit into the order of real time. */
export function checkOperations(evidence: Evidence): void {
  for (const operation of evidence.history.operations) {
    if (operation.ending !== 'answered') continue
    switch (operation.call.type) {
      case 'range':
      case 'past':
        checkRange(evidence, operation, operation.call)
        break
      case 'txn':
        checkTxn(evidence, operation, operation.call)
        break
      case 'check':
        if (operation.call.answer?.length) evidence.found('answer', `damage was found: ${say(operation)}`)
        break
      case 'status':
        checkStatus(evidence, operation, operation.call)
        break
      default:
        break
    }
  }
  // Last, because a revocation that found no keys must not take the revision of who deleted them just before.
  for (const operation of evidence.history.operations) {
    if (operation.ending === 'answered' && operation.call.type === 'revoke') checkRevoke(evidence, operation, operation.call)
  }
  for (const [revision, operation] of evidence.claims) {
    if (evidence.knowledge.firstSeen(revision).order < operation.begun.order) {
      evidence.found('future', `revision ${revision} was seen before it was asked for by ${say(operation)}`)
    }
  }
}

type CallOf<T extends Operation['call']['type']> = Extract<Operation['call'], { type: T }>

/** False, with a violation, if the revision is older than one that was known when the request was made, or was lost. */
function isCurrent(evidence: Evidence, operation: Operation, revision: number): boolean {
  const known = evidence.knowledge.before(operation.begun)
  if (revision < known) {
    evidence.found('stale', `revision ${known} was known already, but revision ${revision} was the answer to ${say(operation)}`)
    return false
  }
  if (revision > evidence.log.newest) {
    evidence.found('lost', `the store ended at revision ${evidence.log.newest}, but acknowledged revision ${revision}: ${say(operation)}`)
    return false
  }
  return true
}

function checkRange(evidence: Evidence, operation: Operation, { type, request, answer }: CallOf<'range'> | CallOf<'past'>): void {
  if (!answer || !isCurrent(evidence, operation, answer.revision)) return
  const at = request.revision || answer.revision
  if (at > answer.revision) return evidence.found('future', `a revision that was not there yet was read: ${say(operation)}`)
  if (type === 'range' && request.revision && evidence.compactions.mustBeBeyond(at, operation.begun)) {
    evidence.found('compaction', `what had been compacted could be read: ${say(operation)}`)
  }
  const state = evidence.log.stateAt(at)
  if (state) expectSame(evidence, operation, answerRange(state, request, answer.revision), answer)
}

function checkTxn(evidence: Evidence, operation: Operation, { answer }: CallOf<'txn'>): void {
  if (!answer || !isCurrent(evidence, operation, answer.revision)) return
  const { revision } = answer
  const told = canonical({ succeeded: answer.succeeded, responses: answer.responses })
  const wrote = evidence.effectAt(revision - 1, operation)
  const isWriter = wrote && 'events' in wrote && wrote.events.length > 0 && evidence.happenedAt(revision, wrote.events)
  if (isWriter && canonical({ succeeded: wrote.succeeded, responses: wrote.responses }) === told) return evidence.claim(revision, operation)
  const read = evidence.effectAt(revision, operation)
  const fits = read && 'events' in read && read.events.length === 0
  if (fits && canonical({ succeeded: read.succeeded, responses: read.responses }) === told) return
  const happened = short(evidence.log.eventsAt(revision))
  evidence.found(
    'answer',
    `no state explains the answer of ${say(operation)}; at revision ${revision} happened ${happened}; writing it would have been ${short(wrote)}, reading it ${short(read)}`,
  )
}

function checkRevoke(evidence: Evidence, operation: Operation, { id, answer }: CallOf<'revoke'>): void {
  if (!answer || !isCurrent(evidence, operation, answer.revision)) return
  const events = evidence.endOfLease(id, answer.revision)
  const isFree = !evidence.claims.has(answer.revision)
  if (isFree && events.length > 0 && evidence.happenedAt(answer.revision, events)) return evidence.claim(answer.revision, operation)
  const left = attached(evidence.log.stateAt(answer.revision), id)
  if (left.length > 0)
    evidence.found('lease', `the keys ${short(left)} outlive their lease at revision ${answer.revision}: ${say(operation)}`)
}

function checkStatus(evidence: Evidence, operation: Operation, { answer }: CallOf<'status'>): void {
  if (!answer || !isCurrent(evidence, operation, answer.revision)) return
  const keys = evidence.log.stateAt(answer.revision)?.size
  if (keys !== undefined && keys !== answer.keys) evidence.found('answer', `there are ${keys} keys: ${say(operation)}`)
}

function expectSame(evidence: Evidence, operation: Operation, expected: unknown, told: unknown): void {
  if (canonical(expected) === canonical(told)) return
  evidence.found('answer', `the answer should have been ${short(expected)}: ${say(operation)}`)
}
