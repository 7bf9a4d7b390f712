import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RangeRequest, type Store, StoreError, type TxnRequest, type TxnResponse, type WatchRequest } from '../store.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { createMemoryStore } from '../memory/memory-store.ts'
import { ModelError, StoreModel } from './model.ts'
import { plain, range, rangeRequest, shift, txn } from './requests.ts'
import { type OpenSubject, put, reader, type Subject, type Traits } from './subject.ts'

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

type Answer = { value: unknown } | { code: string }

async function outcome(work: () => unknown): Promise<Answer> {
  try {
    return { value: plain(await work()) }
  } catch (error) {
    if (error instanceof StoreError || error instanceof ModelError) return { code: error.code }
    throw error
  }
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

    it('has the same hashes as a store in memory that went through the same', async () => {
      const steps = fc.array(fc.oneof({ weight: 8, arbitrary: txn }, fc.constant('compact' as const)), { maxLength: 25 })
      await fc.assert(
        fc.asyncProperty(steps, async (given) => {
          const subject = await open()
          await using memory = createMemoryStore({ clock: new FakeClock() })
          try {
            let { store } = subject
            const { revision: base } = await store.status()
            let refusals = 0
            for (const step of [{ success: [put('z', '')] }, ...given]) {
              const { revision } = await store.status()
              for (const on of [store, memory]) {
                const answer = await outcome(() => (step === 'compact' ? on.compact(revision) : on.txn(shift(step, base))))
                if ('code' in answer) refusals++
              }
            }
            // etcd 3.4 carries out after a crash what it refused before, when that was never flushed.
            if (refusals === 0) store = (await subject.reopen?.()) ?? store
            const { revision, compactRevision } = await store.status()
            expect(await store.maintenance.hash()).toEqual(await memory.maintenance.hash())
            for (let at = compactRevision + 1; at <= revision; at++) {
              expect(await store.maintenance.hash(at)).toEqual(await memory.maintenance.hash(at))
            }
          } finally {
            await subject.close()
          }
        }),
        { seed: 20260104, numRuns: Math.ceil(runs / 4) },
      )
    }, 120_000)
  })
}
