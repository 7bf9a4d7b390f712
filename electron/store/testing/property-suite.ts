import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Compare,
  type KeyRange,
  type Op,
  type RangeRequest,
  type Store,
  StoreError,
  type TxnRequest,
  type TxnResponse,
  type WatchRequest,
} from '../store.ts'
import { ModelError, StoreModel } from './model.ts'
import { bytes, type OpenSubject, reader, type Subject, type Traits } from './subject.ts'

/** Few keys with common beginnings, few values and leases, so that things meet. Revisions count from the base, and some are too high. */
const key = fc.constantFrom('a', 'a/', 'a/1', 'a/2', 'b', '\xff')
const range: fc.Arbitrary<KeyRange> = fc.oneof(
  key.map((k) => ({ key: k })),
  fc.record({ key, end: fc.oneof(key, fc.constant('\0')) }),
)
const value = fc.constantFrom('', 'x', 'y', 'y\xff').map(bytes)
const lease = fc.constantFrom(0n, 0n, 0n, 1n, 2n)
const revision = fc.nat({ max: 12 })
const result = fc.constantFrom('equal', 'notEqual', 'greater', 'less')
const order = fc.constantFrom('ascend' as const, 'descend' as const)

const rangeRequest: fc.Arbitrary<RangeRequest> = fc
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
const { txn } = fc.letrec<{ txn: TxnRequest; op: Op }>((tie) => ({
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

const watchRequest: fc.Arbitrary<WatchRequest & { startRevision: number }> = fc
  .tuple(
    range,
    fc.record({ startRevision: fc.integer({ min: 1, max: 12 }), prevKv: fc.boolean() }),
    fc.constantFrom({}, { noPut: true }, { noDelete: true }),
  )
  .map(([keys, options, filter]) => ({ ...keys, ...options, filter }))

type Step =
  | { do: 'txn'; request: TxnRequest }
  | { do: 'range'; request: RangeRequest }
  | { do: 'compact'; revision: number }
  | { do: 'grant' | 'revoke' | 'keys'; id: bigint }
  | { do: 'watch'; request: WatchRequest & { startRevision: number } }
  | { do: 'reopen' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: txn.map((request): Step => ({ do: 'txn', request })) },
  { weight: 4, arbitrary: rangeRequest.map((request): Step => ({ do: 'range', request })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }).map((r): Step => ({ do: 'compact', revision: r })) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('grant' as const, 'revoke' as const, 'keys' as const), id: fc.constantFrom(1n, 2n) }),
  },
  { weight: 3, arbitrary: watchRequest.map((request): Step => ({ do: 'watch', request })) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reopen' }) },
)

/** Shifts the revisions in a request by the store's first, which not every engine counts from the same number. */
function shift<T>(request: T, base: number): T {
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

type Answer = { value: unknown } | { code: string }

async function outcome(work: () => unknown): Promise<Answer> {
  try {
    return { value: plain(await work()) }
  } catch (error) {
    if (error instanceof StoreError || error instanceof ModelError) return { code: error.code }
    throw error
  }
}

/** Byte arrays as text, whatever their class. */
function plain(node: unknown): unknown {
  if (node instanceof Uint8Array) return Buffer.from(node).toString('latin1')
  if (Array.isArray(node)) return node.map(plain)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, plain(item)]))
}

async function watched(store: Store, request: WatchRequest): Promise<unknown> {
  await using watcher = store.watch(request)
  return await reader(watcher).upToMark()
}

function perform(store: Store, model: StoreModel, subject: Subject, given: Step): { real: () => unknown; expected: () => unknown } {
  switch (given.do) {
    case 'txn': {
      const request = shift(given.request, model.base)
      return { real: () => store.txn(request), expected: () => model.txn(request) }
    }
    case 'range': {
      const request = shift(given.request, model.base)
      return { real: () => store.range(request), expected: () => model.range(request) }
    }
    case 'compact': {
      const at = given.revision + model.base - 1
      return { real: () => store.compact(at), expected: () => model.compact(at) }
    }
    case 'grant':
      return { real: () => store.lease.grant(1000, given.id).then(() => undefined), expected: () => model.grant(given.id) }
    case 'revoke':
      return { real: () => store.lease.revoke(given.id), expected: () => model.revoke(given.id) }
    case 'keys':
      return {
        real: async () => (await store.lease.timeToLive(given.id, { keys: true })).keys,
        expected: () => model.keysOf(given.id),
      }
    case 'watch': {
      const request = shift(given.request, model.base)
      return { real: () => watched(store, request), expected: () => model.watch(request) }
    }
    case 'reopen':
      return { real: () => subject.reopen?.().then(() => undefined), expected: () => undefined }
  }
}

/** The order in which they were carried out, as the answers tell: by revision, who made it before who saw it. Refusals tell nothing. */
function orderTold(answers: readonly Answer[]): number[] {
  const told = answers.flatMap((answer, i) => ('value' in answer ? [{ i, ...(answer.value as TxnResponse) }] : []))
  const wrote = ({ responses }: Pick<TxnResponse, 'responses'>): boolean =>
    responses.some((part) => (part.type === 'txn' ? wrote(part) : part.type === 'put' || (part.type === 'delete' && part.deleted > 0)))
  return told.toSorted((a, b) => a.revision - b.revision || Number(wrote(b)) - Number(wrote(a))).map(({ i }) => i)
}

/** Everything that can still be seen of the store, and what the model says of it. */
async function compareAll(store: Store, model: StoreModel): Promise<void> {
  const all = { key: '\0', end: '\0' }
  for (let at = Math.max(model.base, model.compactRevision); at <= model.revision; at++) {
    expect(plain(await store.range({ ...all, revision: at }))).toEqual(plain(model.range({ ...all, revision: at })))
  }
  const from = { ...all, startRevision: Math.max(1, model.compactRevision), prevKv: true }
  expect(plain(await watched(store, from))).toEqual(plain(model.watch(from)))
  expect(await store.status()).toMatchObject({ revision: model.revision, keys: model.range(all).count })
}

export function propertySuite(open: OpenSubject, runs: number, traits: Traits): void {
  describe('against the model', () => {
    it('answers any sequence of requests as the model does', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const subject = await open()
          try {
            let { store } = subject
            const model = new StoreModel((await store.status()).revision, traits)
            for (const given of steps) {
              if (given.do === 'reopen') {
                store = (await subject.reopen?.()) ?? store
                continue
              }
              const { real, expected } = perform(store, model, subject, given)
              expect(await outcome(real)).toEqual(await outcome(expected))
            }
            await compareAll(store, model)
          } finally {
            await subject.close()
          }
        }),
        { seed: 20260101, numRuns: runs },
      )
    }, 120_000)

    it('answers requests that were made at once as if they came one after the other', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(txn, { minLength: 2, maxLength: 30 }), async (requests) => {
          const subject = await open()
          try {
            const { store } = subject
            const model = new StoreModel((await store.status()).revision, traits)
            await using follower = store.watch({ key: '\0', end: '\0', prevKv: true })
            await follower.created
            const shifted = requests.map((request) => shift(request, model.base))
            const answers = await Promise.all(shifted.map((request) => outcome(() => store.txn(request))))
            for (const i of traits.inOrder ? answers.keys() : orderTold(answers)) {
              expect(answers[i]).toEqual(await outcome(() => model.txn(shifted[i] as TxnRequest)))
            }
            const all = { key: '\0', end: '\0', startRevision: model.base, prevKv: true }
            expect(plain(await reader(follower).upToMark())).toEqual(plain(model.watch(all)))
            await compareAll(store, model)
          } finally {
            await subject.close()
          }
        }),
        { seed: 20260102, numRuns: runs },
      )
    }, 120_000)
  })
}
