import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Codecs } from '../decode/codec.ts'
import type { JsonObject } from '../json-value.ts'
import type { StatusError } from '../status.ts'
import { arbitraryOf } from '../testing/arbitrary.ts'
import { modelType } from '../testing/types.ts'
import { createThreeWayPatch, createTwoWayPatch } from './strategic-diff.ts'
import { applyStrategicPatch, mergeStrategicPatches } from './strategic-merge.ts'

fc.configureGlobal({ seed: 1 })

const POD = modelType('core.v1.Pod')
const SPEC = modelType('core.v1.PodSpec')
const META = modelType('meta.v1.ObjectMeta')
const DEPLOYMENT = modelType('apps.v1.DeploymentSpec')
const faultOf = (object: JsonObject, patch: JsonObject, type = SPEC): string => {
  try {
    applyStrategicPatch(object, patch, type)
  } catch (error) {
    const { status } = error as StatusError
    return status.details?.causes?.[0]?.message ?? status.message ?? ''
  }
  return 'no fault'
}
const named = (...names: string[]) => names.map((name) => ({ name }))

describe('applyStrategicPatch', () => {
  it('merges lists by their key, what is new before what the patch does not know, and replaces others', () => {
    const object = { containers: [{ name: 'a', image: 'x' }, { name: 'b' }], tolerations: [{ key: 'x' }] }
    const patch = { containers: [{ name: 'a', tty: true }, { name: 'c' }], tolerations: [{ key: 'y' }] }
    expect(applyStrategicPatch(object, patch, SPEC)).toEqual({
      containers: [{ name: 'a', image: 'x', tty: true }, { name: 'c' }, { name: 'b' }],
      tolerations: [{ key: 'y' }],
    })
  })

  it('merges lists of scalars, each once', () => {
    expect(applyStrategicPatch({ finalizers: ['a', 'b'] }, { finalizers: ['b', 'c'] }, META)).toEqual({ finalizers: ['a', 'b', 'c'] })
  })

  it('removes what the patch says is null, and takes nothing else from it', () => {
    const object = { nodeName: 'n', nodeSelector: { a: 'b', c: 'd' } }
    expect(applyStrategicPatch(object, { nodeName: null, hostname: null, nodeSelector: { a: null } }, SPEC)).toEqual({
      nodeSelector: { c: 'd' },
    })
    expect(applyStrategicPatch({}, { securityContext: { fsGroup: null, runAsUser: 1 } }, SPEC)).toEqual({
      securityContext: { runAsUser: 1 },
    })
  })

  it('changes neither document', () => {
    const object = { containers: [{ name: 'a', env: [{ name: 'x', value: '1' }] }] }
    const patch = {
      containers: [
        {
          name: 'a',
          env: [
            { name: 'x', $patch: 'delete' },
            { name: 'y', value: null },
          ],
        },
      ],
    }
    const before = structuredClone({ object, patch })
    applyStrategicPatch(object, patch, SPEC)
    expect({ object, patch }).toEqual(before)
  })

  describe('directives', () => {
    const object = { containers: [...named('a', 'b', 'c')], securityContext: { fsGroup: 1 }, volumes: [{ name: 'v', emptyDir: {} }] }

    it('$patch: delete takes an item or an object away', () => {
      const patch = { containers: [{ name: 'b', $patch: 'delete' }], securityContext: { $patch: 'delete' } }
      expect(applyStrategicPatch(object, patch, SPEC)).toMatchObject({ containers: named('a', 'c'), securityContext: {} })
    })

    it('$patch: replace puts the patch in the place of the list or object', () => {
      const patch = { containers: [{ name: 'z' }, { $patch: 'replace' }], securityContext: { $patch: 'replace', runAsUser: 2 } }
      expect(applyStrategicPatch(object, patch, SPEC)).toMatchObject({ containers: named('z'), securityContext: { runAsUser: 2 } })
      expect(applyStrategicPatch(object, { $patch: 'replace', nodeName: 'n' }, SPEC)).toEqual({ nodeName: 'n' })
    })

    it('$patch means nothing where there is nothing to act on', () => {
      const patch = {
        volumes: [{ name: 'x', $patch: 'delete' }],
        affinity: { $patch: 'delete' },
        dnsConfig: { options: [{ $patch: 'delete' }] },
      }
      expect(applyStrategicPatch({}, patch, SPEC)).toEqual({ volumes: [], dnsConfig: { options: [] } })
    })

    it('$deleteFromPrimitiveList takes scalars out', () => {
      expect(applyStrategicPatch({ finalizers: ['a', 'b', 'c'] }, { '$deleteFromPrimitiveList/finalizers': ['b', 'x'] }, META)).toEqual({
        finalizers: ['a', 'c'],
      })
      expect(applyStrategicPatch({}, { '$deleteFromPrimitiveList/finalizers': ['b'] }, META)).toEqual({})
    })

    it('$setElementOrder orders what the patch knows and keeps the rest in its place', () => {
      const order = { '$setElementOrder/containers': named('c', 'a', 'd'), containers: [{ name: 'd' }] }
      expect(applyStrategicPatch(object, order, SPEC)).toMatchObject({ containers: named('b', 'c', 'a', 'd') })
      const finalizers = { finalizers: ['x'], '$setElementOrder/finalizers': ['x', 'b', 'a'] }
      expect(applyStrategicPatch({ finalizers: ['a', 'b'] }, finalizers, META)).toEqual({ finalizers: ['x', 'b', 'a'] })
    })

    it('$setElementOrder goes with deletions: new items take their places', () => {
      const patch = { '$setElementOrder/containers': named('b', 'd'), containers: [{ name: 'd' }, { name: 'a', $patch: 'delete' }] }
      expect(applyStrategicPatch(object, patch, SPEC)).toMatchObject({ containers: named('b', 'c', 'd') })
    })

    it('$retainKeys clears every other field', () => {
      const patch = { strategy: { $retainKeys: ['type'], type: 'Recreate' } }
      const spec = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } }
      expect(applyStrategicPatch(spec, patch, DEPLOYMENT)).toEqual({ strategy: { type: 'Recreate' } })
      expect(applyStrategicPatch({}, patch, DEPLOYMENT)).toEqual({ strategy: { type: 'Recreate' } })
      const volume = { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }] }
      expect(applyStrategicPatch(object, volume, SPEC)).toMatchObject({ volumes: [{ name: 'v', hostPath: { path: '/' } }] })
    })
  })

  it.each<[JsonObject, JsonObject, string]>([
    [{ containers: named('a') }, { containers: [{ image: 'x' }] }, 'map: map[image:x] does not contain declared merge key: name'],
    [{ containers: named('a') }, { containers: ['x'] }, 'list element types are not identical: [[map[name:a]] [x]]'],
    [{ containers: named('a') }, { containers: [['x']] }, 'lists of lists are not supported'],
    [{ containers: named('a') }, { containers: [{ name: 'a', $patch: 'merge' }] }, 'merging lists cannot yet be specified in the patch'],
    [{ containers: named('a') }, { containers: [{ name: 'a', $patch: 'x' }] }, 'unknown patch type: x in map: map[$patch:x name:a]'],
    [{ securityContext: {} }, { securityContext: { $patch: 'x' } }, 'unknown patch type: x in map: map[$patch:x]'],
    [
      { containers: named('a') },
      { containers: named('a', 'b'), '$setElementOrder/containers': named('b', 'a') },
      "The order in patch list:\n[map[name:a] map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:b] map[name:a]]\n",
    ],
    [{}, { '$setElementOrder/containers': 5 }, 'expected a []interface {}, but received a number'],
    [{}, { $setElementOrderx: [] }, 'invalid patch format of setElementOrder list'],
    [{}, { $deleteFromPrimitiveListx: [] }, 'invalid patch format of primitive list'],
    [{}, { $retainKeys: 5 }, 'invalid patch format of retainKeys'],
    [{}, { $retainKeys: ['a'], nodeName: 'x' }, 'invalid patch format of retainKeys'],
    [{ nonsense: {} }, { nonsense: {} }, 'unable to find api field in struct PodSpec for the json field "nonsense"'],
  ])('refuses onto %j the patch %j', (object, patch, message) => {
    expect(faultOf(object, patch)).toBe(message)
  })

  it('refuses what is no object', () => {
    expect(() => applyStrategicPatch({}, [], SPEC)).toThrow(expect.objectContaining({ reason: 'BadRequest' }))
  })
})

describe('createTwoWayPatch', () => {
  it('says what changed, what went, and the order', () => {
    const before = { nodeName: 'n', containers: [{ name: 'a', image: 'x' }, { name: 'b' }] }
    const after = { hostname: 'h', containers: [{ name: 'c' }, { name: 'a', image: 'y' }] }
    expect(createTwoWayPatch(before, after, SPEC)).toEqual({
      hostname: 'h',
      nodeName: null,
      containers: [{ name: 'c' }, { name: 'a', image: 'y' }, { name: 'b', $patch: 'delete' }],
      '$setElementOrder/containers': named('c', 'a'),
    })
  })

  it('retains only the keys of what may be one of many', () => {
    const before = { volumes: [{ name: 'v', emptyDir: {} }] }
    const after = { volumes: [{ name: 'v', hostPath: { path: '/' } }] }
    expect(createTwoWayPatch(before, after, SPEC)).toMatchObject({ volumes: [{ name: 'v', $retainKeys: ['hostPath', 'name'] }] })
  })
})

describe('createThreeWayPatch', () => {
  it('keeps what others added, and takes away what was applied before and is no more', () => {
    const original = { containers: [{ name: 'a', image: 'x' }, { name: 'old' }], nodeName: 'n' }
    const modified = { containers: [{ name: 'a', image: 'y' }] }
    const current = {
      containers: [{ name: 'a', image: 'x', tty: true }, { name: 'old' }, { name: 'injected' }],
      nodeName: 'n',
      hostname: 'h',
    }
    const patch = createThreeWayPatch(original, modified, current, SPEC)
    expect(applyStrategicPatch(current, patch, SPEC)).toEqual({
      containers: [{ name: 'a', image: 'y', tty: true }, { name: 'injected' }],
      hostname: 'h',
    })
  })
})

describe('laws', () => {
  const codec = new Codecs().for<JsonObject>(POD)
  const pod = arbitraryOf(POD, { density: 0.25, depth: 5, nulls: false }).map((value) => codec.decode(value).object)

  it('the two-way patch leads from one object to the other', () => {
    fc.assert(
      fc.property(pod, pod, (before, after) => {
        expect(applyStrategicPatch(before, createTwoWayPatch(before, after, POD), POD)).toEqual(after)
      }),
    )
  })

  it('nothing changes with the patch from an object to itself', () => {
    fc.assert(
      fc.property(pod, (object) => {
        expect(createTwoWayPatch(object, structuredClone(object), POD)).toEqual({})
      }),
    )
  })

  it('applying a patch twice is applying it once', () => {
    fc.assert(
      fc.property(pod, pod, pod, (object, before, after) => {
        const patch = createTwoWayPatch(before, after, POD)
        const once = applyStrategicPatch(object, patch, POD)
        expect(sortedLists(applyStrategicPatch(once, patch, POD))).toEqual(sortedLists(once))
      }),
    )
  })

  it('the three-way patch brings a live object to hold the configuration, whatever was applied before', () => {
    fc.assert(
      fc.property(pod, pod, pod, (original, modified, current) => {
        const live = applyStrategicPatch(current, createThreeWayPatch(original, modified, current, POD), POD)
        expect(applyStrategicPatch(live, createThreeWayPatch(modified, modified, live, POD), POD)).toEqual(live)
      }),
    )
  })

  it('one patch made of two does what the two do one after the other', () => {
    fc.assert(
      fc.property(pod, pod, (object, other) => {
        const additions = createThreeWayPatch({}, other, object, POD)
        const merged = mergeStrategicPatches({}, additions, POD)
        expect(applyStrategicPatch(object, merged, POD)).toEqual(applyStrategicPatch(object, additions, POD))
      }),
    )
  })
})

function sortedLists(value: unknown): unknown {
  if (Array.isArray(value))
    return value
      .map(sortedLists)
      .map((item) => JSON.stringify(item))
      .sort()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortedLists(item)]),
  )
}
