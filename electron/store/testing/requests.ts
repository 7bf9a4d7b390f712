import fc from 'fast-check'
import type { Compare, KeyRange, Op, RangeRequest, TxnRequest } from '../store.ts'
import { bytes } from './subject.ts'

/** Few keys with common beginnings, few values and leases, so that things meet. Revisions count from the base, and some are too high. */
const key = fc.constantFrom('a', 'a/', 'a/1', 'a/2', 'b', '\xff')
export const range: fc.Arbitrary<KeyRange> = fc.oneof(
  key.map((k) => ({ key: k })),
  fc.record({ key, end: fc.oneof(key, fc.constant('\0')) }),
)
const value = fc.constantFrom('', 'x', 'y', 'y\xff').map(bytes)
const lease = fc.constantFrom(0n, 0n, 0n, 1n, 2n)
const revision = fc.nat({ max: 12 })
const result = fc.constantFrom('equal', 'notEqual', 'greater', 'less')
const order = fc.constantFrom('ascend' as const, 'descend' as const)

export const rangeRequest: fc.Arbitrary<RangeRequest> = fc
  .tuple(
    range,
    fc.record(
      {
        revision,
        limit: fc.nat({ max: 3 }),
        keysOnly: fc.boolean(),
        countOnly: fc.boolean(),
        sort: fc.record({ target: fc.constantFrom('key', 'version', 'create', 'mod', 'value'), order }),
        minModRevision: revision,
        maxModRevision: revision,
        minCreateRevision: revision,
        maxCreateRevision: revision,
      },
      { requiredKeys: [] },
    ),
  )
  .map(([keys, options]) => ({ ...options, ...keys }))

const compare: fc.Arbitrary<Compare> = fc
  .tuple(
    range,
    result,
    fc.oneof(
      fc.record({ target: fc.constantFrom('create' as const, 'mod' as const), operand: revision }),
      fc.record({ target: fc.constant('version' as const), operand: fc.nat({ max: 3 }) }),
      fc.record({ target: fc.constant('lease' as const), operand: lease }),
      fc.record({ target: fc.constant('value' as const), operand: value }),
    ),
  )
  .map(([keys, how, what]): Compare => ({ ...keys, ...what, result: how }))

const putOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('put' as const), key, value, lease, prevKv: fc.boolean() }) },
  fc.record({ type: fc.constant('put' as const), key, value: fc.constant(bytes('')), lease, ignoreValue: fc.constant(true) }),
  fc.record({ type: fc.constant('put' as const), key, value, ignoreLease: fc.constant(true) }),
)
const deleteOp: fc.Arbitrary<Op> = fc.tuple(range, fc.boolean()).map(([keys, prevKv]) => ({ type: 'delete', ...keys, prevKv }))
const rangeOp: fc.Arbitrary<Op> = rangeRequest.map((request) => ({ type: 'range', ...request }))
export const { txn } = fc.letrec<{ txn: TxnRequest; op: Op }>((tie) => ({
  op: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'txn' },
    putOp,
    { weight: 3, arbitrary: putOp },
    { weight: 2, arbitrary: deleteOp },
    rangeOp,
    tie('txn').map((request): Op => ({ type: 'txn', ...request })),
  ),
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 2 }),
    success: fc.array(tie('op'), { maxLength: 4, depthIdentifier: 'txn' }),
    failure: fc.array(tie('op'), { maxLength: 2, depthIdentifier: 'txn' }),
  }),
}))

/** Shifts the revisions in a request by the store's first, which not every engine counts from the same number. */
export function shift<T>(request: T, base: number): T {
  const names = new Set(['revision', 'startRevision', 'minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'])
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit)
    if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return node
    const isRevision = 'target' in node && (node.target === 'create' || node.target === 'mod')
    return Object.fromEntries(
      Object.entries(node).map(([name, item]: [string, unknown]) => {
        const wanted = typeof item === 'number' && item > 0 && (names.has(name) || (name === 'operand' && isRevision))
        return [name, wanted ? item + base - 1 : visit(item)]
      }),
    )
  }
  return visit(request) as T
}

/** Byte arrays as text, whatever their class. */
export function plain(node: unknown): unknown {
  if (node instanceof Uint8Array) return Buffer.from(node).toString('latin1')
  if (Array.isArray(node)) return node.map(plain)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, plain(item)]))
}
