import { describe, expect, it } from 'vitest'
import { configMap, pod } from '../../api/kinds.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { beforeDelete, finalizersFor, type Deletion } from './before-delete.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const runs = (metadata: object = {}) =>
  ({
    metadata: { name: 'p', uid: 'u', resourceVersion: '5', generation: 1, ...metadata },
    spec: { nodeName: 'n', terminationGracePeriodSeconds: 30, containers: [] },
    status: { phase: 'Running' },
  }) as unknown as KubeObject
const marked = { deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 30 }
const run = (object: KubeObject, deletion: Deletion = {}, kind: AnyKind = pod, now = NOW) => {
  const step = beforeDelete(kind, object, deletion, now)
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers, generation } = object.metadata
  return { step, deletionTimestamp, deletionGracePeriodSeconds, finalizers, generation }
}

describe('a delete', () => {
  it('of what ends at once removes it', () => {
    expect(run(runs(), {}, configMap).step).toEqual({ type: 'remove' })
  })

  it('of what finalizers hold marks it', () => {
    expect(run(runs({ finalizers: ['a/b'] }), {}, configMap)).toEqual({
      step: { type: 'mark', then: false },
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
      finalizers: ['a/b'],
      generation: 2,
    })
    const again = run(
      runs({ finalizers: ['a/b'], deletionTimestamp: '2025-12-31T00:00:00Z', deletionGracePeriodSeconds: 0 }),
      {},
      configMap,
    )
    expect([again.deletionTimestamp, again.generation]).toEqual(['2025-12-31T00:00:00Z', 1])
  })

  it('of a pod on a node gives it its time', () => {
    expect(run(runs())).toMatchObject({
      step: { type: 'mark', then: false },
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
      generation: 2,
    })
    expect(run(runs(), { gracePeriodSeconds: 5 })).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:05Z' })
    expect(run(runs(), { gracePeriodSeconds: -1 })).toMatchObject({ deletionGracePeriodSeconds: 1 })
  })

  it('of a pod with no time is done in two steps', () => {
    expect(run(runs(), { gracePeriodSeconds: 0 })).toMatchObject({ step: { type: 'mark', then: true }, deletionGracePeriodSeconds: 0 })
    const held = run(runs({ finalizers: ['a/b'] }), { gracePeriodSeconds: 0 })
    expect(held).toMatchObject({ step: { type: 'mark', then: false }, deletionGracePeriodSeconds: 0 })
  })

  it('of a pod that ends already can only shorten its time', () => {
    expect(run(runs(marked)).step).toEqual({ type: 'pending' })
    expect(run(runs(marked), { gracePeriodSeconds: 40 }).step).toEqual({ type: 'pending' })
    expect(run(runs(marked), { gracePeriodSeconds: 15 })).toMatchObject({
      step: { type: 'mark', then: false },
      deletionTimestamp: '2026-01-01T00:00:05Z',
      deletionGracePeriodSeconds: 15,
    })
    expect(run(runs(marked), { gracePeriodSeconds: 0 }).step).toEqual({ type: 'mark', then: true })
  })

  it('that shortens into the past leaves a second', () => {
    expect(run(runs(marked), { gracePeriodSeconds: 5 }, pod, NOW + 60_000)).toMatchObject({
      deletionTimestamp: '2026-01-01T00:01:00Z',
      deletionGracePeriodSeconds: 1,
    })
  })

  it('repeated on a pod without time left removes it', () => {
    expect(run(runs({ ...marked, deletionGracePeriodSeconds: 0 })).step).toEqual({ type: 'remove' })
  })

  it('is for the object that the client saw', () => {
    expect(() => run(runs(), { preconditions: { uid: 'other' } })).toThrow(
      'Operation cannot be fulfilled on Pod "p": the UID in the precondition (other) does not match the UID in record (u). The object might have been deleted and then recreated',
    )
    expect(() => run(runs(), { preconditions: { resourceVersion: '4' } })).toThrow(
      'the ResourceVersion in the precondition (4) does not match the ResourceVersion in record (5). The object might have been modified',
    )
  })
})

describe('finalizers of the garbage collector', () => {
  it.each([
    [['a/b'], {}, ['a/b']],
    [['a/b'], { propagationPolicy: 'Foreground' }, ['a/b', 'foregroundDeletion']],
    [['foregroundDeletion'], { propagationPolicy: 'Background' }, []],
    [['foregroundDeletion'], { propagationPolicy: 'Orphan' }, ['orphan']],
    [['foregroundDeletion'], {}, ['foregroundDeletion']],
    [['orphan', 'a/b'], {}, ['a/b', 'orphan']],
    [[], { orphanDependents: true }, ['orphan']],
    [['orphan'], { orphanDependents: false }, []],
  ] as const)('%j with %j become %j', (finalizers, deletion, expected) => {
    expect(finalizersFor(finalizers, deletion)).toEqual(expected)
  })
})
