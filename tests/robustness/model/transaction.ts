import {
  type Compare,
  type KeyValue,
  type Op,
  type OpResponse,
  type PutOp,
  type StoreErrorCode,
  type StoreEvent,
  type TxnRequest,
} from '../../../electron/store/store.ts'
import { after, answerRange, type State, within } from './state.ts'

/** What a transaction does to a state, or why it is refused. Which leases there are is not looked at. */
export type Effect =
  | { readonly refused: StoreErrorCode }
  | { readonly succeeded: boolean; readonly responses: readonly OpResponse[]; readonly events: readonly StoreEvent[] }

export interface Basis {
  /** Of the newest revision, on which the transaction is carried out. */
  readonly revision: number
  readonly state: State
  /** The state of an earlier revision. */
  readonly at: (revision: number) => State | undefined
}

const NOTHING = new Uint8Array(0)

class Refused extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode) {
    super(code)
    this.code = code
  }
}

/** etcd v3's transaction, as plainly as it can be said: all compares look at the state before, operations go one after the other. */
export function effectOf(request: TxnRequest, basis: Basis): Effect {
  const events: StoreEvent[] = []
  try {
    const { succeeded, responses } = run(request, basis, events)
    return { succeeded, responses, events }
  } catch (error) {
    if (error instanceof Refused) return { refused: error.code }
    throw error
  }
}

function run(request: TxnRequest, basis: Basis, events: StoreEvent[]): { succeeded: boolean; responses: OpResponse[] } {
  const succeeded = (request.compare ?? []).every((compare) => holds(compare, basis.state))
  const ops = succeeded ? request.success : (request.failure ?? [])
  return { succeeded, responses: ops.map((op) => respond(op, basis, events)) }
}

function respond(op: Op, basis: Basis, events: StoreEvent[]): OpResponse {
  const now = after(basis.state, events)
  const newest = () => basis.revision + (events.length > 0 ? 1 : 0)
  switch (op.type) {
    case 'put': {
      const old = now.get(op.key)
      events.push({ type: 'put', kv: putOn(old, op, basis.revision + 1) })
      return { type: 'put', ...(op.prevKv && old ? { prevKv: old } : {}) }
    }
    case 'delete': {
      const gone = within(now, op)
      events.push(...gone.map(({ key }) => deletion(key, basis.revision + 1)))
      return { type: 'delete', deleted: gone.length, prevKvs: op.prevKv ? gone : [] }
    }
    case 'range': {
      if (op.revision && op.revision > basis.revision) throw new Refused('futureRevision')
      const state = op.revision ? basis.at(op.revision) : now
      if (!state) throw new Refused('compacted')
      return { type: 'range', ...answerRange(state, op, newest()) }
    }
    case 'txn': {
      const { succeeded, responses } = run(op, basis, events)
      return { type: 'txn', succeeded, responses, revision: newest() }
    }
  }
}

function putOn(old: KeyValue | undefined, op: PutOp, revision: number): KeyValue {
  if (!old && (op.ignoreValue || op.ignoreLease)) throw new Refused('keyNotFound')
  return {
    key: op.key,
    value: op.ignoreValue && old ? old.value : op.value,
    createRevision: old?.createRevision ?? revision,
    modRevision: revision,
    version: (old?.version ?? 0) + 1,
    lease: op.ignoreLease && old ? old.lease : (op.lease ?? 0n),
  }
}

export function deletion(key: string, revision: number): StoreEvent {
  return { type: 'delete', kv: { key, value: NOTHING, createRevision: 0, modRevision: revision, version: 0, lease: 0n } }
}

function holds(compare: Compare, state: State): boolean {
  const kvs = within(state, compare)
  if (kvs.length > 0) return kvs.every((kv) => fits(compare, kv))
  return compare.target !== 'value' && fits(compare, deletion(compare.key, 0).kv)
}

function fits(compare: Compare, kv: KeyValue): boolean {
  const order = orderOf(compare, kv)
  return { equal: order === 0, notEqual: order !== 0, greater: order > 0, less: order < 0 }[compare.result]
}

function orderOf(compare: Compare, kv: KeyValue): number {
  switch (compare.target) {
    case 'value':
      return Buffer.compare(kv.value, compare.operand)
    case 'lease':
      return Number(kv.lease - compare.operand)
    case 'version':
      return kv.version - compare.operand
    case 'create':
      return kv.createRevision - compare.operand
    case 'mod':
      return kv.modRevision - compare.operand
  }
}
