import { describe, expect, it } from 'vitest'
import type { AllocationResult, Device, DeviceClass, ResourceClaim, ResourceSlice } from '../../../api/resource/v1/types.gen.ts'
import { seededRandom } from '../../../base/random.ts'
import { allocationOf } from './allocation.ts'
import { allocate } from './allocator.ts'
import { Pools } from './pools.ts'
import { asksOf, Selectors } from './requests.ts'
import { Usage } from './usage.ts'

const DRIVER = 'gpu.example.com'
const CLASS = 'gpu'
const NODE = { name: 'a', labels: { zone: 'east' } }

type Requests = NonNullable<ResourceClaim['spec']['devices']['requests']>
type SliceParts = Omit<Partial<ResourceSlice['spec']>, 'pool'> & { readonly pool?: Partial<ResourceSlice['spec']['pool']> }

const slice = (devices: readonly Device[], { pool, ...more }: SliceParts = {}) =>
  ({
    metadata: { name: 's' },
    spec: {
      ...{ driver: DRIVER, ...(more.allNodes || more.nodeSelector || more.perDeviceNodeSelection ? {} : { nodeName: 'a' }) },
      ...{ pool: { name: 'a', generation: 1, resourceSliceCount: 1, ...pool }, devices: [...devices], ...more },
    },
  }) as ResourceSlice
const named = (...names: string[]): Device[] => names.map((name) => ({ name }))
const claimOf = (requests: Requests, more: Partial<ResourceClaim['spec']['devices']> = {}) =>
  ({ metadata: { name: 'mine', namespace: 'test' }, spec: { devices: { requests, ...more } }, status: {} }) as ResourceClaim
const exactly = (name: string, more: Partial<NonNullable<Requests[number]['exactly']>> = {}): Requests[number] => ({
  name,
  exactly: { deviceClassName: CLASS, allocationMode: 'ExactCount', count: 1, ...more },
})
const selecting = (expression: string) => [{ cel: { expression } }]

interface Case {
  readonly slices: readonly ResourceSlice[]
  readonly claims: readonly ResourceClaim[]
  readonly taken?: readonly AllocationResult[]
  readonly classes?: Readonly<Record<string, DeviceClass['spec']>>
  readonly node?: typeof NODE
}

/** "request=device", by claim; null: nothing was found. */
function search({ slices, claims, taken = [], classes = { [CLASS]: {} }, node = NODE }: Case): string[][] | null {
  const asks = asksAll(claims, classes)
  const found = allocate(node, asks, new Pools(slices), new Usage(taken))
  return found && found.claims.map((granted) => granted.map(({ ask, one }) => `${ask.name}=${one.device.name}`))
}

function asksAll(claims: readonly ResourceClaim[], classes: NonNullable<Case['classes']>) {
  const classOf = (name: string) => {
    const spec = classes[name]
    return spec && ({ metadata: { name }, spec } as DeviceClass)
  }
  return claims.map((claim) => asksOf(claim, classOf, new Selectors()))
}

const holding = (...devices: string[]): AllocationResult => ({
  devices: { results: devices.map((device) => ({ request: 'r', driver: DRIVER, pool: 'a', device })) },
})

describe('devices for a claim', () => {
  it('are those of the node that nobody has', () => {
    const slices = [slice(named('x', 'y')), slice(named('z'), { nodeName: 'b', pool: { name: 'b' } })]
    expect(search({ slices, claims: [claimOf([exactly('r')])], taken: [holding('x')] })).toEqual([['r=y']])
    expect(search({ slices, claims: [claimOf([exactly('r', { count: 2 })])], taken: [holding('x')] })).toBeNull()
  })

  it('of several claims are different ones', () => {
    const claims = [claimOf([exactly('r')]), claimOf([exactly('r')])]
    expect(search({ slices: [slice(named('x', 'y'))], claims })).toEqual([['r=x'], ['r=y']])
    expect(search({ slices: [slice(named('x'))], claims })).toBeNull()
  })

  it('are reached by all nodes, by those that are selected, or each by its own', () => {
    const nodeSelector = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In' as const, values: ['west'] }] }] }
    const claims = [claimOf([exactly('r')])]
    expect(search({ slices: [slice(named('x'), { allNodes: true })], claims })).toEqual([['r=x']])
    expect(search({ slices: [slice(named('x'), { nodeSelector })], claims })).toBeNull()
    const own = [
      { name: 'x', nodeName: 'b' },
      { name: 'y', nodeName: 'a' },
    ]
    expect(search({ slices: [slice(own, { perDeviceNodeSelection: true })], claims })).toEqual([['r=y']])
  })

  it('are of the newest generation of a pool, once it is whole', () => {
    const claims = [claimOf([exactly('r')])]
    const old = slice(named('old'))
    const half = (name: string) => slice(named(name), { pool: { generation: 2, resourceSliceCount: 2 } })
    expect(search({ slices: [old, half('one')], claims })).toBeNull()
    expect(search({ slices: [old, half('one'), half('two')], claims })).toEqual([['r=one']])
    expect(search({ slices: [half('same'), half('same')], claims })).toBeNull()
  })

  it.each([
    [`device.driver == "${DRIVER}" && device.attributes["${DRIVER}"].model == "big"`, 'big'],
    [`device.capacity["${DRIVER}"].memory.compareTo(quantity("10Gi")) < 0`, 'small'],
    [`device.attributes["other.example.com"].?rank.orValue(0) == 3`, 'big'],
    [`device.attributes["${DRIVER}"].version.isGreaterThan(semver("1.0.0"))`, 'big'],
    [`!("absent.example.com" in device.attributes) && device.attributes["${DRIVER}"].fast == false`, 'small'],
  ])('are selected by %s', (expression, chosen) => {
    const devices: Device[] = [
      {
        name: 'small',
        attributes: { model: { string: 'small' }, version: { version: '0.9.0' }, fast: { bool: false } },
        capacity: { memory: { value: '8Gi' } },
      },
      {
        name: 'big',
        attributes: {
          ...{ model: { string: 'big' }, version: { version: '1.2.0' }, fast: { bool: true } },
          'other.example.com/rank': { int: 3 },
        },
        capacity: { memory: { value: '80Gi' } },
      },
    ]
    const slices = [slice(devices)]
    expect(search({ slices, claims: [claimOf([exactly('r', { selectors: selecting(expression) })])] })).toEqual([[`r=${chosen}`]])
    const classes = { [CLASS]: { selectors: selecting(expression) } }
    expect(search({ slices, claims: [claimOf([exactly('r')])], classes })).toEqual([[`r=${chosen}`]])
  })

  it('cannot be told where an expression fails or a class is not there', () => {
    const slices = [slice(named('x'))]
    const asking = (expression: string) => ({ slices, claims: [claimOf([exactly('r', { selectors: selecting(expression) })])] })
    expect(() => search(asking(`device.attributes["${DRIVER}"].model == "x"`))).toThrow(
      'claim test/mine: selector #0: CEL runtime error: no such key: model',
    )
    expect(() => search(asking('device.nonsense'))).toThrow('claim test/mine: selector #0: CEL compile error: compilation failed')
    expect(() => search({ ...asking('true'), classes: {} })).toThrow('request r: device class gpu does not exist')
  })

  it('are all there are where all are asked for', () => {
    const all = [claimOf([exactly('r', { allocationMode: 'All' })])]
    expect(search({ slices: [slice(named('x', 'y'))], claims: all })).toEqual([['r=x', 'r=y']])
    expect(search({ slices: [slice(named('x', 'y'))], claims: all, taken: [holding('y')] })).toBeNull()
    expect(search({ slices: [slice([])], claims: all })).toBeNull()
    const half = slice(named('x'), { pool: { resourceSliceCount: 2 } })
    expect(() => search({ slices: [half], claims: all })).toThrow('resource pool gpu.example.com/a is currently being updated')
  })

  it('are more than one claim may have', () => {
    const names = Array.from({ length: 33 }, (_, i) => `d${i}`)
    const ofCount = (count: number) => [claimOf([exactly('r', { count })])]
    expect(search({ slices: [slice(named(...names))], claims: ofCount(32) })?.[0]).toHaveLength(32)
    expect(search({ slices: [slice(named(...names))], claims: ofCount(33) })).toBeNull()
  })

  it('are of the first alternative that works out together with the rest', () => {
    const big = (name: string): Device => ({ name, attributes: { size: { string: 'big' } } })
    const firstAvailable = ['big', 'any'].map((name) => ({
      ...{ name, deviceClassName: CLASS, allocationMode: 'ExactCount' as const, count: 1 },
      ...(name === 'big' ? { selectors: selecting(`device.attributes["${DRIVER}"].?size.orValue("") == "big"`) } : {}),
    }))
    const claims = [claimOf([{ name: 'r', firstAvailable }])]
    expect(search({ slices: [slice([...named('x'), big('y')])], claims })).toEqual([['r/big=y']])
    expect(search({ slices: [slice(named('x'))], claims })).toEqual([['r/any=x']])
    const rest = claimOf([exactly('s', { selectors: selecting(`device.attributes["${DRIVER}"].?size.orValue("") == "big"`) })])
    expect(search({ slices: [slice([...named('x'), big('y')])], claims: [...claims, rest] })).toEqual([['r/any=x'], ['s=y']])
  })

  it('have something in common, or nothing', () => {
    const at = (name: string, numa: number): Device => ({ name, attributes: { numa: { int: numa } } })
    const devices = [at('a0', 0), at('b0', 1), at('b1', 1), { name: 'none' }]
    const two = (constraint: object) => [claimOf([exactly('r', { count: 2 })], { constraints: [constraint] })]
    expect(search({ slices: [slice(devices)], claims: two({ matchAttribute: `${DRIVER}/numa` }) })).toEqual([['r=b0', 'r=b1']])
    expect(search({ slices: [slice(devices)], claims: two({ distinctAttribute: `${DRIVER}/numa` }) })).toEqual([['r=a0', 'r=b0']])
    const pair = claimOf([exactly('r'), exactly('s')], { constraints: [{ matchAttribute: `${DRIVER}/numa`, requests: ['r', 's'] }] })
    expect(search({ slices: [slice(devices)], claims: [pair] })).toEqual([['r=b0', 's=b1']])
  })

  it('have no taint that the request does not bear', () => {
    const taints = [{ key: 'broken', value: 'yes', effect: 'NoSchedule' as const }]
    const devices: Device[] = [{ name: 'x', taints }]
    const bearing = (toleration: object) => [claimOf([exactly('r', { tolerations: [{ operator: 'Equal', ...toleration }] })])]
    expect(search({ slices: [slice(devices)], claims: [claimOf([exactly('r')])] })).toBeNull()
    expect(search({ slices: [slice(devices)], claims: bearing({ key: 'broken', value: 'no' }) })).toBeNull()
    expect(search({ slices: [slice(devices)], claims: bearing({ key: 'broken', value: 'yes' }) })).toEqual([['r=x']])
    expect(search({ slices: [slice(devices)], claims: bearing({ operator: 'Exists' }) })).toEqual([['r=x']])
  })

  it('are shown to who watches over them though others have them', () => {
    const claims = [claimOf([exactly('r', { adminAccess: true })]), claimOf([exactly('s')])]
    expect(search({ slices: [slice(named('x', 'y'))], claims, taken: [holding('x')] })).toEqual([['r=x'], ['s=y']])
  })

  it('are parts of one that share its counters', () => {
    const part = (name: string, memory: string): Device => ({
      name,
      consumesCounters: [{ counterSet: 'gpu-0', counters: { memory: { value: memory } } }],
    })
    const count = { pool: { resourceSliceCount: 2 } }
    const slices = [
      slice([], { ...count, sharedCounters: [{ name: 'gpu-0', counters: { memory: { value: '40Gi' } } }] }),
      slice([part('whole', '40Gi'), part('left', '20Gi'), part('right', '20Gi')], count),
    ]
    const asking = (devices: number) => [claimOf([exactly('r', { count: devices })])]
    expect(search({ slices, claims: asking(1) })).toEqual([['r=whole']])
    expect(search({ slices, claims: asking(2) })).toEqual([['r=left', 'r=right']])
    expect(search({ slices, claims: asking(3) })).toBeNull()
    expect(search({ slices, claims: asking(1), taken: [holding('left')] })).toEqual([['r=right']])
    expect(search({ slices, claims: asking(1), taken: [holding('whole')] })).toBeNull()
  })

  it('may be had by several as far as they have room', () => {
    const nic: Device = {
      name: 'nic',
      allowMultipleAllocations: true,
      capacity: { bandwidth: { value: '10G', requestPolicy: { default: '1G', validRange: { min: '1G', max: '8G', step: '2G' } } } },
    }
    const asking = (...bandwidths: (string | null)[]) =>
      bandwidths.map((bandwidth) => claimOf([exactly('r', bandwidth ? { capacity: { requests: { bandwidth } } } : {})]))
    const slices = [slice([nic])]
    expect(search({ slices, claims: asking('4G', '4G') })).toEqual([['r=nic'], ['r=nic']])
    expect(search({ slices, claims: asking('6G', '4G') })).toBeNull()
    expect(search({ slices, claims: asking('9G') })).toBeNull()
    expect(search({ slices, claims: asking(...Array<null>(10).fill(null)) })).toHaveLength(10)
    expect(search({ slices, claims: asking(...Array<null>(11).fill(null)) })).toBeNull()
    const asks = asksAll(asking('4G'), { [CLASS]: {} })
    const found = allocate(NODE, asks, new Pools(slices), new Usage([]))
    const { devices } = allocationOf(asks[0] as (typeof asks)[0], found?.claims[0] ?? [], 'a', seededRandom(1))
    expect(devices.results?.[0]).toMatchObject({ consumedCapacity: { bandwidth: '5G' }, shareID: expect.any(String) as string })
    expect(search({ slices, claims: asking('5G'), taken: [{ devices }] })).toEqual([['r=nic']])
    expect(search({ slices, claims: asking('6G'), taken: [{ devices }] })).toBeNull()
  })

  it('leave no trace of a search that came to nothing', () => {
    const slices = [slice(named('x', 'y'))]
    const [pools, usage] = [new Pools(slices), new Usage([])]
    const asks = (requests: Requests) => asksAll([claimOf(requests)], { [CLASS]: {} })
    expect(() =>
      allocate(NODE, asks([exactly('r'), exactly('s', { selectors: selecting('device.attributes["x"].y') })]), pools, usage),
    ).toThrow()
    expect(allocate(NODE, asks([exactly('r', { count: 3 })]), pools, usage)).toBeNull()
    expect(allocate(NODE, asks([exactly('r', { count: 2 })]), pools, usage)?.claims[0]).toHaveLength(2)
  })
})

describe('an allocation', () => {
  const of = (slices: readonly ResourceSlice[], claim: ResourceClaim, classes: NonNullable<Case['classes']> = { [CLASS]: {} }) => {
    const [asks] = asksAll([claim], classes)
    if (!asks) throw new Error('no claim')
    return allocationOf(asks, allocate(NODE, [asks], new Pools(slices), new Usage([]))?.claims[0] ?? [], 'a', seededRandom(1))
  }

  it('says where its devices can be reached', () => {
    expect(of([slice(named('x'))], claimOf([exactly('r')]))).toEqual({
      devices: { results: [{ request: 'r', driver: DRIVER, pool: 'a', device: 'x' }] },
      nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }] },
    })
    const requirement = { key: 'zone', operator: 'In' as const, values: ['east'] }
    const nodeSelector = { nodeSelectorTerms: [{ matchExpressions: [requirement] }] }
    expect(of([slice(named('x', 'y'), { nodeSelector })], claimOf([exactly('r', { count: 2 })])).nodeSelector).toEqual(nodeSelector)
    expect(of([slice(named('x'), { allNodes: true })], claimOf([exactly('r')])).nodeSelector).toBeUndefined()
  })

  it('hands on what classes and claims say to drivers, as far as it concerns what was chosen', () => {
    const opaque = (mode: string) => ({ driver: DRIVER, parameters: { mode } })
    const firstAvailable = ['a', 'b'].map((name) => ({ name, deviceClassName: CLASS, allocationMode: 'ExactCount' as const, count: 1 }))
    const config = [{ requests: ['r/a'], opaque: opaque('a') }, { requests: ['r/b'], opaque: opaque('b') }, { opaque: opaque('all') }]
    const claim = claimOf([{ name: 'r', firstAvailable }], { config })
    const found = of([slice(named('x'))], claim, { [CLASS]: { config: [{ opaque: opaque('class') }] } })
    expect(found.devices.config).toEqual([
      { source: 'FromClass', requests: ['r/a'], opaque: opaque('class') },
      { source: 'FromClaim', requests: ['r/a'], opaque: opaque('a') },
      { source: 'FromClaim', opaque: opaque('all') },
    ])
  })
})
