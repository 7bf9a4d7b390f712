import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../base/random.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { findCondition, isConditionTrue, removeCondition, setCondition } from './conditions.ts'
import { semanticEqualAs } from './equality.ts'
import { deepFreeze, thaw } from './freeze.ts'
import { fnv1a, safeEncode, templateHash } from './hash.ts'
import { generateName } from './names.ts'
import {
  controllerOf,
  controllerReference,
  hasFinalizer,
  isBeingDeleted,
  isControlledBy,
  isOwnedBy,
  keyOf,
  ownerReference,
  splitKey,
  withFinalizer,
  withoutFinalizer,
} from './object.ts'
import { arbitraryOf } from './testing/arbitrary.ts'
import { modelType } from './testing/types.ts'

fc.configureGlobal({ seed: 1 })

const object = (name: string, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '2026-11-21T08:00:00Z', ...metadata },
})
const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' }

describe('keys', () => {
  it('name an object with its namespace', () => {
    expect(keyOf(object('a', { namespace: 'n' }))).toBe('n/a')
    expect(keyOf(object('a'))).toBe('a')
    expect(splitKey('n/a')).toEqual({ namespace: 'n', name: 'a' })
    expect(splitKey('a')).toEqual({ namespace: undefined, name: 'a' })
  })
})

describe('owners', () => {
  it('are found by their uid, the controller by its mark', () => {
    const [owner, other] = [object('owner'), object('other')]
    const owned = object('x', { ownerReferences: [ownerReference(other, DEPLOYMENT), controllerReference(owner, DEPLOYMENT)] })
    expect(controllerOf(owned)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'owner',
      uid: 'uid-owner',
      controller: true,
      blockOwnerDeletion: true,
    })
    expect([isControlledBy(owned, owner), isControlledBy(owned, other), isOwnedBy(owned, other), isOwnedBy(owned, object('z'))]).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect(controllerOf(object('x'))).toBeUndefined()
  })
})

describe('finalizers and deletion', () => {
  it('are told and changed without touching the object', () => {
    const held = object('x', { finalizers: ['a'], deletionTimestamp: '2026-11-21T08:00:00Z' })
    expect([hasFinalizer(held, 'a'), hasFinalizer(held, 'b'), isBeingDeleted(held), isBeingDeleted(object('y'))]).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect(withFinalizer(held, 'b')).toEqual(['a', 'b'])
    expect(withFinalizer(held, 'a')).toEqual(['a'])
    expect(withoutFinalizer(held, 'a')).toEqual([])
    expect(held.metadata.finalizers).toEqual(['a'])
  })
})

describe('conditions', () => {
  const now = '2026-11-21T09:00:00Z'
  const ready = { type: 'Ready', status: 'True', reason: 'Up', lastTransitionTime: '2026-11-21T08:00:00Z' }

  it('keep their time while the status stays', () => {
    expect(setCondition([ready], { type: 'Ready', status: 'True', reason: 'Still' }, now)).toEqual([{ ...ready, reason: 'Still' }])
    expect(setCondition([ready], { type: 'Ready', status: 'False', reason: 'Down' }, now)).toEqual([
      { type: 'Ready', status: 'False', reason: 'Down', lastTransitionTime: now },
    ])
    expect(setCondition(undefined, { type: 'New', status: 'True' }, now)).toEqual([
      { type: 'New', status: 'True', lastTransitionTime: now },
    ])
  })

  it('come back as the same list if nothing changed', () => {
    const list = [ready]
    expect(setCondition(list, { type: 'Ready', status: 'True', reason: 'Up' }, now)).toBe(list)
  })

  it('are found by type', () => {
    expect(findCondition([ready], 'Ready')).toBe(ready)
    expect([isConditionTrue([ready], 'Ready'), isConditionTrue([ready], 'Other'), isConditionTrue(undefined, 'Ready')]).toEqual([
      true,
      false,
      false,
    ])
    expect(removeCondition([ready], 'Ready')).toEqual([])
  })
})

describe('hashes', () => {
  it('are FNV-1a in the safe alphabet', () => {
    expect(fnv1a('')).toBe(0x811c9dc5)
    expect(fnv1a('foobar')).toBe(0xbf9cf968)
    expect(safeEncode('4294967295')).toHaveLength(10)
    expect(templateHash({ a: 1 })).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{5,10}$/)
  })

  it('do not depend on the order of properties, and do on everything else', () => {
    expect(templateHash({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(templateHash({ b: { c: [1, 2] }, a: 1 }))
    const hashes = [
      templateHash({ a: [1, 2] }),
      templateHash({ a: [2, 1] }),
      templateHash({ a: '1' }),
      templateHash({ a: 1 }),
      templateHash({ a: 1 }, 0),
      templateHash({ a: 1 }, 1),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})

describe('generateName', () => {
  it('adds five characters and stays within 63', () => {
    const random = seededRandom(1)
    expect(generateName('web-', random)).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    expect(generateName('x'.repeat(80), random)).toMatch(/^x{58}[a-z0-9]{5}$/)
    expect(generateName('web-', random)).not.toBe(generateName('web-', random))
  })
})

describe('deepFreeze and thaw', () => {
  it('freeze to the depths, and give a copy that may be changed', () => {
    const frozen = deepFreeze({ a: { b: [{ c: 1 }] }, n: null })
    expect(Object.isFrozen(frozen.a.b[0])).toBe(true)
    const copy = thaw(frozen)
    copy.a.b.push({ c: 2 })
    expect(frozen).toEqual({ a: { b: [{ c: 1 }] }, n: null })
  })

  it('copy any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(thaw(deepFreeze(structuredClone(value)))).toEqual(value)
      }),
    )
  })
})

describe('semanticEqualAs', () => {
  const pod = modelType('core.v1.Pod')
  const equal = (a: unknown, b: unknown) => semanticEqualAs(pod, a, b)
  const resources = (limits: unknown) => ({ spec: { containers: [{ name: 'a', resources: { limits } }] } })

  it('compares quantities by value where the type says that they are some', () => {
    expect(equal(resources({ cpu: '1000m', memory: '1Gi' }), resources({ cpu: '1', memory: 1073741824 }))).toBe(true)
    expect(equal(resources({ cpu: '1001m' }), resources({ cpu: '1' }))).toBe(false)
    expect(equal({ metadata: { labels: { a: '1000m' } } }, { metadata: { labels: { a: '1' } } })).toBe(false)
  })

  it('compares times by instant', () => {
    const at = (creationTimestamp: string) => ({ metadata: { creationTimestamp } })
    expect(equal(at('2026-11-21T08:00:00Z'), at('2026-11-21T09:00:00+01:00'))).toBe(true)
    expect(equal(at('2026-11-21T08:00:00Z'), at('2026-11-21T08:00:01Z'))).toBe(false)
    expect(equal(at('2026-11-21T08:00:00Z'), at('today'))).toBe(false)
  })

  it('takes empty lists and maps for none, but not objects that are a choice', () => {
    expect(equal({ metadata: { labels: {}, finalizers: [] } }, { metadata: { annotations: null } })).toBe(true)
    const volume = (source: object) => ({ spec: { volumes: [{ name: 'v', ...source }] } })
    expect(equal(volume({ emptyDir: {} }), volume({}))).toBe(false)
    expect(equal(volume({ emptyDir: {} }), volume({ emptyDir: {} }))).toBe(true)
  })

  it('says of decoded objects that they are equal to themselves, and to others only both ways', () => {
    const object = arbitraryOf(pod, { density: 0.1 })
    fc.assert(
      fc.property(object, object, (a, b) => {
        expect(equal(a, structuredClone(a))).toBe(true)
        expect(equal(a, b)).toBe(equal(b, a))
      }),
    )
  })
})
