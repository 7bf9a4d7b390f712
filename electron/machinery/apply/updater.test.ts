import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Codecs } from '../decode/codec.ts'
import type { JsonObject } from '../json-value.ts'
import type { StructType } from '../schema/type.ts'
import { arbitraryOf } from '../testing/arbitrary.ts'
import { modelType, testTypes } from '../testing/types.ts'
import { compareObjects } from './compare.ts'
import type { ConflictError } from './conflict.ts'
import { FieldSet } from './field-set.ts'
import type { Operation, Owners } from './managed-fields.ts'
import { showPath } from './path-element.ts'
import { isHollow } from './shape.ts'
import { toFieldSet } from './to-field-set.ts'
import { applyAndOwn, ownersAfterUpdate, type MergeTarget } from './updater.ts'
import { validateConfiguration } from './validate.ts'

fc.configureGlobal({ seed: 1 })

const SPEC = modelType('core.v1.PodSpec')

/** Objects of one type with their owners, changed step by step. */
class World {
  object: JsonObject
  owners: Owners = new Map()
  readonly target: MergeTarget

  constructor(object: JsonObject = {}, type: StructType = SPEC, more: Partial<MergeTarget> = {}) {
    this.object = object
    this.target = { apiVersion: 'v1', type, ...more }
  }

  apply(manager: string, config: JsonObject, force = false): this {
    const result = applyAndOwn(this.object, config, this.owners, manager, this.#self(manager, 'Apply'), force, this.target)
    this.object = result.object ?? this.object
    this.owners = result.owners
    return this
  }

  update(manager: string, next: JsonObject): this {
    this.owners = ownersAfterUpdate(this.object, next, this.owners, manager, this.#self(manager, 'Update'), this.target)
    this.object = next
    return this
  }

  owned(manager: string): string[] {
    return [...(this.owners.get(manager)?.fields.paths() ?? [])].map(showPath).sort()
  }

  conflicts(manager: string, config: JsonObject): string[] {
    try {
      this.apply(manager, config)
    } catch (error) {
      return (error as ConflictError).conflicts.map(({ owner, path }) => `${owner.manager} ${showPath(path)}`)
    }
    return []
  }

  #self(manager: string, operation: Operation) {
    return { manager, operation, apiVersion: this.target.apiVersion }
  }
}

describe('apply', () => {
  it('owns what it mentions', () => {
    const world = new World().apply('a', { nodeName: 'n', containers: [{ name: 'c', image: 'i' }], nodeSelector: { x: 'y' } })
    expect(world.owned('a')).toEqual([
      '.containers[name="c"]',
      '.containers[name="c"].image',
      '.containers[name="c"].name',
      '.nodeName',
      '.nodeSelector',
    ])
  })

  it('takes away what it applied before and does not mention now', () => {
    const world = new World().apply('a', { nodeName: 'n', hostname: 'h', containers: [{ name: 'c', tty: true }, { name: 'd' }] })
    world.apply('a', { hostname: 'h', containers: [{ name: 'c' }] })
    expect(world.object).toEqual({ hostname: 'h', containers: [{ name: 'c' }] })
  })

  it('leaves what others own, and gives up owning it', () => {
    const world = new World().apply('a', { nodeName: 'n', hostname: 'h' }).apply('b', { nodeName: 'n' }).apply('a', { hostname: 'h' })
    expect(world.object).toEqual({ nodeName: 'n', hostname: 'h' })
    expect(world.owned('a')).toEqual(['.hostname'])
    expect(world.owned('b')).toEqual(['.nodeName'])
  })

  it('leaves an item that it no longer mentions while others own something in it', () => {
    const world = new World()
      .apply('a', { containers: [{ name: 'c', image: 'i' }] })
      .apply('b', { containers: [{ name: 'c', tty: true }] })
      .apply('a', {})
    expect(world.object).toEqual({ containers: [{ name: 'c', tty: true }] })
    expect(world.owned('a')).toEqual([])
  })

  it('leaves what an update put next to its own', () => {
    const world = new World().apply('a', { containers: [{ name: 'c', image: 'i' }] })
    world.update('u', { containers: [{ name: 'c', image: 'i', tty: true }] }).apply('a', { containers: [{ name: 'c' }] })
    expect(world.object).toEqual({ containers: [{ name: 'c', tty: true }] })
  })

  it('conflicts where it would change what others own, unless forced', () => {
    const world = new World().apply('a', { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] })
    expect(world.conflicts('b', { nodeName: 'm', containers: [{ name: 'c', image: 'j' }] })).toEqual([
      'a .nodeName',
      'a .containers[name="c"].image',
    ])
    expect(world.conflicts('b', { nodeName: 'n' })).toEqual([])
    world.apply('b', { nodeName: 'm' }, true)
    expect(world.object).toMatchObject({ nodeName: 'm' })
    expect(world.owned('a')).not.toContain('.nodeName')
  })

  it('conflicts over a map or list that is one value to its type', () => {
    const world = new World().apply('a', { nodeSelector: { x: 'y' } })
    expect(world.conflicts('b', { nodeSelector: { x: 'y', z: 'w' } })).toEqual(['a .nodeSelector'])
  })

  it('takes a key that is left out for its default', () => {
    const world = new World({}, modelType('core.v1.Container')).apply('a', { name: 'c', ports: [{ containerPort: 80, protocol: 'TCP' }] })
    expect(
      world.conflicts('b', {
        ports: [
          { containerPort: 80, hostPort: 1 },
          { containerPort: 80, protocol: 'UDP' },
        ],
      }),
    ).toEqual([])
    expect(world.object['ports']).toEqual([
      { containerPort: 80, protocol: 'TCP', hostPort: 1 },
      { containerPort: 80, protocol: 'UDP' },
    ])
    expect(world.owned('b')).toContain('.ports[containerPort=80,protocol="TCP"].hostPort')
  })

  it('shares sets, of which each owns its values', () => {
    const meta = modelType('meta.v1.ObjectMeta')
    const world = new World({}, meta)
      .apply('a', { finalizers: ['x', 'y'] })
      .apply('b', { finalizers: ['y', 'z'] })
      .apply('a', { finalizers: [] })
    expect(world.object).toEqual({ finalizers: ['y', 'z'] })
    expect(world.owned('b')).toEqual(['.finalizers[="y"]', '.finalizers[="z"]'])
  })

  it('keeps the order of the object, and puts what it mentions in its own order', () => {
    const named = (...names: string[]) => names.map((name) => ({ name }))
    const world = new World({ containers: named('a', 'b', 'c', 'd') }).apply('m', { containers: named('c', 'new', 'a') })
    expect(world.object['containers']).toEqual(named('b', 'c', 'd', 'new', 'a'))
  })

  it('changes nothing when nothing changes', () => {
    const world = new World().apply('a', { nodeName: 'n' })
    const { object } = applyAndOwn(
      world.object,
      { nodeName: 'n' },
      world.owners,
      'a',
      { manager: 'a', operation: 'Apply', apiVersion: 'v1' },
      false,
      world.target,
    )
    expect(object).toBeNull()
  })

  it('owns no field that the endpoint resets', () => {
    const world = new World({}, SPEC, { resetFields: FieldSet.ofFields('nodeName', 'securityContext') })
    world.apply('a', { nodeName: 'n', hostname: 'h', securityContext: { fsGroup: 1 } })
    expect(world.owned('a')).toEqual(['.hostname'])
  })

  it('owns what no schema describes field by field', () => {
    const type = testTypes.custom(
      { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } },
      'Widget',
    )
    const world = new World({}, type).apply('a', { spec: { x: { y: 1 }, list: [1] } }).apply('b', { spec: { x: { z: 2 } } })
    expect(world.owned('a')).toEqual(['.spec.list', '.spec.x', '.spec.x.y'])
    expect(world.apply('a', {}).object).toEqual({ spec: { x: { z: 2 } } })
  })
})

describe('update', () => {
  it('owns what it adds and changes, and takes it from others', () => {
    const world = new World().apply('a', { nodeName: 'n', hostname: 'h' }).update('u', { nodeName: 'm', hostname: 'h', subdomain: 's' })
    expect(world.owned('u')).toEqual(['.nodeName', '.subdomain'])
    expect(world.owned('a')).toEqual(['.hostname'])
  })

  it('makes everyone lose what it removes', () => {
    const world = new World()
      .apply('a', { containers: [{ name: 'c', image: 'i' }] })
      .apply('b', { containers: [{ name: 'c' }] })
      .update('u', {})
    expect([...world.owners.keys()]).toEqual([])
  })

  it('owns items that are there twice as one', () => {
    const world = new World({}, modelType('core.v1.Container')).update('u', {
      env: [
        { name: 'x', value: '1' },
        { name: 'x', value: '2' },
      ],
    })
    expect(world.owned('u')).toEqual(['.env', '.env[name="x"]'])
    world.update('v', {
      env: [
        { name: 'x', value: '3' },
        { name: 'x', value: '2' },
      ],
    })
    expect(world.owned('v')).toEqual(['.env[name="x"]'])
  })
})

describe('items that have no identity', () => {
  const list = (more: object) => testTypes.custom({ type: 'object', properties: { list: { type: 'array', ...more } } }, 'Widget')
  const byName = list({
    items: { type: 'object', properties: { name: { type: 'string' } } },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  })
  const set = list({ items: { type: 'string' }, 'x-kubernetes-list-type': 'set' })

  it.each<[string, StructType, unknown]>([
    ['associative list with keys may not have a null element', byName, null],
    ['associative list with keys may not have non-map elements', byName, 'x'],
    ['associative list with keys has an element that omits all key fields ["name"]', byName, {}],
    ["associative list without keys has an element that's a map type", set, {}],
    ['not supported: associative list with lists as elements', set, []],
    ["associative list without keys has an element that's an explicit null", set, null],
  ])('are refused: %s', (message, type, item) => {
    expect(() => new World({}, type).update('u', { list: [item] })).toThrow(message)
  })
})

describe('other versions', () => {
  const old = testTypes.custom({ type: 'object', properties: { size: { type: 'integer' }, name: { type: 'string' } } }, 'Widget')
  const now = testTypes.custom({ type: 'object', properties: { count: { type: 'integer' }, name: { type: 'string' } } }, 'Widget')
  const convert = {
    to: ({ count, ...rest }: JsonObject): JsonObject => ({ ...rest, ...(count === undefined ? {} : { size: count }) }),
    from: ({ size, ...rest }: JsonObject): JsonObject => ({ ...rest, ...(size === undefined ? {} : { count: size }) }),
  }
  const other = (apiVersion: string) => (apiVersion === 'v0' ? { type: old, convert } : null)
  const worldOf = (fields: string, apiVersion: string) => {
    const world = new World({ count: 1, name: 'n' }, now, { other })
    world.owners.set('o', { manager: 'o', operation: 'Apply', apiVersion, fields: FieldSet.ofFields(fields, 'name') })
    return world
  }

  it('are where their owners find their fields', () => {
    expect(worldOf('size', 'v0').conflicts('a', { count: 2 })).toEqual(['o .size'])
    expect(worldOf('size', 'v0').update('u', { count: 2, name: 'n' }).owned('o')).toEqual(['.name'])
  })

  it('are where what was applied in them is taken away', () => {
    const world = worldOf('size', 'v0').apply('o', { name: 'n' })
    expect(world.object).toEqual({ name: 'n' })
    expect(world.owners.get('o')).toMatchObject({ apiVersion: 'v1' })
  })

  it('are forgotten with their owners when they are no longer served', () => {
    expect([...worldOf('size', 'gone').update('u', { count: 2, name: 'n' }).owners.keys()]).toEqual(['u'])
  })
})

describe('a type that came to be owned as a whole', () => {
  it('is owned by who owned something in it', () => {
    const world = new World({ nodeSelector: { a: 'b' } })
    world.owners.set('o', { manager: 'o', operation: 'Apply', apiVersion: 'v1', fields: FieldSet.ofFields('nodeSelector.a') })
    expect(world.conflicts('a', { nodeSelector: { a: 'c' } })).toEqual(['o .nodeSelector'])
  })
})

describe('laws', () => {
  const type = modelType('core.v1.Pod')
  const codec = new Codecs().for<JsonObject>(type)
  const object = arbitraryOf(type, { density: 0.2, nulls: false })
    .map((value) => codec.decode(value, { defaults: false }).object)
    .filter((value) => validateConfiguration(value, type).length === 0)

  it('applying twice is applying once', () => {
    fc.assert(
      fc.property(object, object, (live, config) => {
        const world = new World(live, type).apply('a', config, true)
        const before = { object: structuredClone(world.object), owned: world.owned('a') }
        world.apply('a', config)
        expect({ object: world.object, owned: world.owned('a') }).toEqual(before)
      }),
    )
  })

  it('what is applied is there and owned', () => {
    fc.assert(
      fc.property(object, object, (live, config) => {
        const world = new World(live, type).apply('a', config, true)
        expect((world.owners.get('a')?.fields ?? new FieldSet()).equals(toFieldSet(config, type))).toBe(true)
        expect(toFieldSet(config, type).difference(toFieldSet(world.object, type).withNamedFields(type)).isEmpty).toBe(true)
      }),
    )
  })

  it('applying nothing takes away what was applied, and nothing that others own', () => {
    fc.assert(
      fc.property(object, object, (live, config) => {
        const start = withoutHollow(live) as JsonObject
        const world = new World({}, type).update('u', start).apply('a', config, true).apply('a', {})
        const present = compareObjects({}, world.object, type).added
        const others = world.owners.get('u')?.fields ?? new FieldSet()
        expect(
          leaves(compareObjects({}, start, type).added)
            .intersection(others)
            .difference(present).isEmpty,
        ).toBe(true)
        const left = toFieldSet(world.object, type).withNamedFields(type).intersection(toFieldSet(config, type))
        expect(left.difference(others.withNamedFields(type)).isEmpty).toBe(true)
      }),
    )
  })

  it('who applies the same as another does not conflict with it', () => {
    fc.assert(
      fc.property(object, (config) => {
        const world = new World({}, type).apply('a', config)
        expect(world.conflicts('b', config)).toEqual([])
        expect(world.owned('b')).toEqual(world.owned('a'))
      }),
    )
  })

  it('nobody owns what is not there', () => {
    fc.assert(
      fc.property(object, object, object, (first, second, third) => {
        const world = new World({}, type).apply('a', first).update('u', second).update('v', third)
        const present = compareObjects({}, world.object, type).added.withNamedFields(type)
        for (const { fields } of world.owners.values()) expect(fields.difference(present).isEmpty).toBe(true)
      }),
    )
  })
})

/** Fields that hold nothing are left out: nobody is sure to find them again. */
function withoutHollow(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHollow)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [key, withoutHollow(item)] as const)
  return Object.fromEntries(entries.filter(([, item]) => !isHollow(item)))
}

function leaves(set: FieldSet): FieldSet {
  const out = new FieldSet()
  for (const element of set.members) if (!set.children.has(element)) out.add(element)
  for (const [element, below] of set.children) out.put(element, leaves(below))
  return out
}
