import type { Compare, CompareResult, LeaseId, Op, OpResponse, PutOp, TxnRequest } from '../store.ts'
import { StoreError } from '../store.ts'
import type { Keyspace } from './keyspace.ts'
import { checkReadable, readRange } from './range.ts'
import { type ReadValue, toKeyValue, type Version } from './version.ts'

/** Which way a transaction and the transactions in it go. All compares look at the store before the first operation, as in etcd. */
interface Plan {
  readonly succeeded: boolean
  readonly ops: readonly Op[]
  /** Plans of the operations that are transactions, by position; null if there are none. */
  readonly nested: ReadonlyMap<number, Plan> | null
}

export interface Outcome {
  readonly succeeded: boolean
  readonly responses: readonly OpResponse[]
  /** What was changed, in order; all of it belongs to the revision after the store's. */
  readonly changes: readonly Version[]
}

export interface TransactionDeps {
  readonly space: Keyspace
  readonly read: ReadValue
  readonly leaseExists: (id: LeaseId) => boolean
}

/** Runs a checked transaction on the head of the keyspace. When it throws, the changes so far are undone. The caller advances. */
export function runTransaction(deps: TransactionDeps, request: TxnRequest): Outcome {
  const plan = planFor(deps, request)
  const changes: Version[] = []
  const before = deps.space.revision
  try {
    const { responses } = apply(deps, plan, changes)
    return { succeeded: plan.succeeded, responses, changes }
  } catch (error) {
    deps.space.undo(changes.length, before)
    throw error
  }
}

function planFor(deps: TransactionDeps, request: TxnRequest): Plan {
  const succeeded = request.compare?.every((compare) => holds(deps, compare)) ?? true
  const ops = succeeded ? request.success : (request.failure ?? [])
  let nested: Map<number, Plan> | null = null
  for (const [index, op] of ops.entries()) {
    if (op.type === 'txn') (nested ??= new Map<number, Plan>()).set(index, planFor(deps, op))
  }
  return { succeeded, ops, nested }
}

function apply(deps: TransactionDeps, plan: Plan, changes: Version[]): { revision: number; responses: OpResponse[] } {
  const responses = plan.ops.map((op, index) => applyOp(deps, op, plan.nested?.get(index), changes))
  return { revision: deps.space.revision + (changes.length > 0 ? 1 : 0), responses }
}

function applyOp(deps: TransactionDeps, op: Op, plan: Plan | undefined, changes: Version[]): OpResponse {
  const { space, read } = deps
  switch (op.type) {
    case 'put':
      return applyPut(deps, op, changes)
    case 'delete': {
      const deletions = space.delete(op)
      for (const deletion of deletions) changes.push(deletion)
      if (!op.prevKv) return { type: 'delete', deleted: deletions.length, prevKvs: [] }
      const prevKvs = deletions.map(({ prev }) => toKeyValue(prev as Version, read(prev as Version)))
      return { type: 'delete', deleted: deletions.length, prevKvs }
    }
    case 'range': {
      checkReadable(space, op.revision, space.revision)
      const newest = space.revision + (changes.length > 0 ? 1 : 0)
      return { type: 'range', ...readRange(space, op, newest, read) }
    }
    case 'txn': {
      if (!plan) throw new Error('a nested transaction has a plan')
      return { type: 'txn', succeeded: plan.succeeded, ...apply(deps, plan, changes) }
    }
  }
}

function applyPut({ space, read, leaseExists }: TransactionDeps, op: PutOp, changes: Version[]): OpResponse {
  const before = op.ignoreValue || op.ignoreLease || op.prevKv ? space.get(op.key, space.revision + 1) : null
  if ((op.ignoreValue || op.ignoreLease) && !before) {
    throw new StoreError('keyNotFound', `the key ${JSON.stringify(op.key)} does not exist, so nothing of it can be kept`)
  }
  const lease = op.ignoreLease && before ? before.lease : (op.lease ?? 0n)
  if (lease !== 0n && !leaseExists(lease)) throw new StoreError('leaseNotFound', `there is no lease ${lease}`)
  const response: OpResponse = op.prevKv && before ? { type: 'put', prevKv: toKeyValue(before, read(before)) } : { type: 'put' }
  changes.push(space.put(op.key, op.ignoreValue && before ? read(before) : op.value, lease))
  return response
}

function holds({ space, read }: TransactionDeps, compare: Compare): boolean {
  let exists = false
  let result = true
  space.walk(compare, space.revision, (version) => {
    exists = true
    result = matches(order(compare, version, read), compare.result)
    return result
  })
  if (exists) return result
  if (compare.target === 'value') return false
  return matches(compareNumbers(0, Number(compare.operand)), compare.result)
}

function order(compare: Compare, version: Version, read: ReadValue): number {
  switch (compare.target) {
    case 'version':
      return compareNumbers(version.version, compare.operand)
    case 'create':
      return compareNumbers(version.createRevision, compare.operand)
    case 'mod':
      return compareNumbers(version.revision, compare.operand)
    case 'lease':
      return compareNumbers(version.lease, compare.operand)
    case 'value':
      return Buffer.compare(read(version), compare.operand)
  }
}

function compareNumbers(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function matches(order: number, result: CompareResult): boolean {
  switch (result) {
    case 'equal':
      return order === 0
    case 'notEqual':
      return order !== 0
    case 'greater':
      return order > 0
    case 'less':
      return order < 0
  }
}
