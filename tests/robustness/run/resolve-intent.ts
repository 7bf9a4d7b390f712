import {
  type Compare,
  type Key,
  type KeyValue,
  type LeaseId,
  type Op,
  type RangeRequest,
  type TxnRequest,
} from '../../../electron/store/store.ts'
import type { Call } from '../history.ts'
import type { CompareIntent, Intent, LeaseChoice, OpIntent } from '../schedule/intents.ts'

/** What a client knows when it asks. */
export interface Knowledge {
  /** The newest revision that anyone was told of. */
  readonly newest: number
  /** The newest revision at which the store may be compacted. */
  readonly compactable: number
  readonly seen: ReadonlyMap<Key, KeyValue>
  /** Its own, oldest first. */
  readonly leases: readonly LeaseId[]
  /** A value that no other put has. */
  readonly value: (size: number) => Uint8Array
  readonly freshLease: () => LeaseId
}

/** A lease that nobody was ever granted. */
const NO_SUCH_LEASE = 77n
const NOTHING = new Uint8Array(0)

export function resolveIntent(intent: Intent, known: Knowledge): Call {
  switch (intent.type) {
    case 'put':
    case 'delete':
      return { type: 'txn', request: { success: [opOf(intent, known)] } }
    case 'range':
      return { type: 'range', request: rangeOf(intent, known) }
    case 'txn':
      return { type: 'txn', request: txnOf(intent, known) }
    case 'grant':
      return { type: 'grant', id: known.freshLease(), ttl: intent.ttl }
    case 'keepAlive':
    case 'revoke':
    case 'timeToLive':
      return { type: intent.type, id: leaseOf(intent.lease, known) }
    case 'leases':
      return { type: 'leases' }
    case 'compact':
      return { type: 'compact', revision: Math.max(1, known.compactable - intent.back) }
  }
}

function opOf(intent: OpIntent, known: Knowledge): Op {
  switch (intent.type) {
    case 'put': {
      const { key, prevKv, ignore } = intent
      const value = ignore === 'value' ? NOTHING : known.value(intent.size)
      const lease = intent.lease && ignore !== 'lease' ? { lease: leaseOf(intent.lease, known) } : {}
      return { type: 'put', key, value, prevKv, ...lease, ignoreValue: ignore === 'value', ignoreLease: ignore === 'lease' }
    }
    case 'delete': {
      const { key, end, prevKv } = intent
      return { type: 'delete', key, ...(end === undefined ? {} : { end }), prevKv }
    }
    case 'range':
      return { type: 'range', ...rangeOf(intent, known) }
    case 'txn':
      return { type: 'txn', ...txnOf(intent, known) }
  }
}

function txnOf({ compare, success, failure }: Extract<OpIntent, { type: 'txn' }>, known: Knowledge): TxnRequest {
  const ops = (intents: readonly OpIntent[]) => intents.map((intent) => opOf(intent, known))
  return { compare: compare.map((intent) => compareOf(intent, known)), success: ops(success), failure: ops(failure) }
}

function rangeOf({ key, end, back, limit, form }: Extract<OpIntent, { type: 'range' }>, known: Knowledge): RangeRequest {
  return {
    key,
    ...(end === undefined ? {} : { end }),
    ...(back === null ? {} : { revision: Math.max(1, known.newest - back) }),
    ...(limit === 0 ? {} : { limit }),
    ...(form === 'keys' ? { keysOnly: true } : form === 'count' ? { countOnly: true } : {}),
    ...(form === 'byMod' ? { sort: { target: 'mod', order: 'descend' } as const } : {}),
  }
}

function compareOf(intent: CompareIntent, known: Knowledge): Compare {
  const { key, target } = intent
  const seen = known.seen.get(key)
  switch (target) {
    case 'seenMod':
      return { key, target: 'mod', result: intent.result, operand: seen?.modRevision ?? 0 }
    case 'seenVersion':
      return { key, target: 'version', result: intent.result, operand: seen?.version ?? 0 }
    case 'seenValue':
      return { key, target: 'value', result: intent.result, operand: seen?.value ?? NOTHING }
    case 'exists':
      return { key, target: 'create', result: 'greater', operand: 0 }
    case 'missing':
      return { key, target: 'version', result: 'equal', operand: 0 }
    case 'create':
      return { key, end: intent.end, target: 'create', result: intent.result, operand: Math.max(1, known.newest - intent.back) }
    case 'lease':
      return { key, target: 'lease', result: intent.result, operand: leaseOf(intent.lease, known) }
  }
}

function leaseOf({ back }: LeaseChoice, { leases }: Knowledge): LeaseId {
  return leases.at(-1 - back) ?? NO_SUCH_LEASE
}
