import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { deviceClass } from './device-class.ts'
import { resourceClaimTemplate } from './resource-claim-template.ts'
import { resourceClaim } from './resource-claim.ts'
import { resourceSlice } from './resource-slice.ts'

const exactly = (more: Loose = {}): Loose => ({ deviceClassName: 'gpu', ...more })
const claim = (more: Loose = {}): Loose => ({ spec: { devices: { requests: [{ name: 'one', exactly: exactly() }], ...more } } })
const slice = (more: Loose = {}): Loose => ({
  spec: { driver: 'gpu.example.com', nodeName: 'n', pool: { name: 'n', generation: 1, resourceSliceCount: 1 }, ...more },
})

describe('a device class', () => {
  it('selects by expressions and configures by driver', () => {
    expect(created(deviceClass, { spec: { selectors: [{ cel: { expression: 'true' } }] } }).errors).toEqual([])
    expect(
      created(deviceClass, { spec: { selectors: [{}, { cel: { expression: '' } }], config: [{}, { opaque: { driver: 'A' } }] } }).errors,
    ).toEqual([
      'spec.selectors[0].cel: Required value',
      'spec.selectors[1].cel.expression: Required value',
      'spec.config[0].opaque: Required value',
      expect.stringMatching(/^spec.config\[1\].opaque.driver: Invalid value: "A"/) as string,
      'spec.config[1].opaque.parameters: Required value',
    ])
  })
})

describe('a claim', () => {
  it('is of one device, unless it says otherwise', () => {
    const { object, errors } = created(resourceClaim, claim())
    expect(errors).toEqual([])
    expect(object.spec.devices.requests?.[0]?.exactly).toMatchObject({ allocationMode: 'ExactCount', count: 1 })
    expect(row(resourceClaim, object)['State']).toBe('pending')
  })

  it.each<[what: string, devices: Loose, errors: string[]]>([
    [
      'nothing',
      { requests: [{ name: 'one' }] },
      ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
    ],
    [
      'one thing twice',
      {
        requests: [
          { name: 'one', exactly: exactly() },
          { name: 'one', exactly: exactly() },
        ],
      },
      ['spec.devices.requests[1].name: Duplicate value: "one"'],
    ],
    ['no class', { requests: [{ name: 'one', exactly: {} }] }, ['spec.devices.requests[0].exactly.deviceClassName: Required value']],
    [
      'all, and a number',
      { requests: [{ name: 'one', exactly: exactly({ allocationMode: 'All', count: 2 }) }] },
      ["spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"],
    ],
    [
      'the like of what is not asked for',
      { constraints: [{ requests: ['two'], matchAttribute: 'example.com/numa' }, {}] },
      [
        'spec.devices.constraints[0].requests[0]: Invalid value: "two": must be the name of a request in the claim or the name of a request and a subrequest separated by a slash',
        'spec.devices.constraints[1].matchAttribute: Required value',
      ],
    ],
  ])('for %s is refused', (_, devices, errors) => {
    expect(created(resourceClaim, claim(devices)).errors).toEqual(errors)
  })

  it('may name alternatives, and its parts by them', () => {
    const firstAvailable = [
      { name: 'big', deviceClassName: 'gpu' },
      { name: 'small', deviceClassName: 'gpu' },
    ]
    const config = [{ requests: ['one/big'], opaque: { driver: 'gpu.example.com', parameters: {} } }]
    expect(created(resourceClaim, claim({ requests: [{ name: 'one', firstAvailable }], config })).errors).toEqual([])
  })

  it('stays as it is, and so does a template', () => {
    const old = stored(resourceClaim, claim())
    expect(updated(resourceClaim, old, ({ spec }) => void (spec.devices = {})).errors).toHaveLength(1)
    const template = stored(resourceClaimTemplate, { spec: { metadata: {}, ...claim() } })
    expect(updated(resourceClaimTemplate, template, ({ spec }) => void (spec.spec.devices = {})).errors).toHaveLength(1)
  })
})

describe('the status of a claim', () => {
  const allocation: Loose = { devices: { results: [{ request: 'one', driver: 'gpu.example.com', pool: 'n', device: 'gpu-0' }] } }
  const user = (name: string): Loose => ({ resource: 'pods', name, uid: `uid-${name}` })
  const errorsOf = (status: Loose, before: Loose = {}) =>
    statusUpdated(resourceClaim, stored(resourceClaim, { ...claim(), status: before }), (object) => void (object.status = status)).errors

  it('says what it has and who uses it', () => {
    const devices = [{ driver: 'gpu.example.com', pool: 'n', device: 'gpu-0' }]
    expect(errorsOf({ allocation, reservedFor: [user('a'), user('b')], devices })).toEqual([])
    expect(errorsOf({}, { allocation, reservedFor: [user('a')] })).toEqual([])
  })

  it.each<[what: string, status: Loose, before: Loose, errors: string[]]>([
    [
      'users of nothing',
      { reservedFor: [user('a')] },
      {},
      ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
    ],
    ['a user twice', { allocation, reservedFor: [user('a'), user('a')] }, {}, ['status.reservedFor[1].uid: Duplicate value: "uid-a"']],
    [
      'other devices at once',
      { allocation: { devices: {} } },
      { allocation },
      [expect.stringMatching(/^status.allocation: Invalid value: .*field is immutable$/s) as string],
    ],
    [
      'something for nobody',
      { allocation: { devices: { results: [{ request: 'two', driver: 'gpu.example.com', pool: 'n', device: '' }] } } },
      {},
      [
        'status.allocation.devices.results[0].request: Invalid value: "two": must be the name of a request in the claim',
        'status.allocation.devices.results[0].device: Required value',
      ],
    ],
    [
      'news of a device that it has not got',
      { allocation, devices: [{ driver: 'gpu.example.com', pool: 'n', device: 'gpu-1' }] },
      { allocation },
      ['status.devices[0]: Invalid value: "gpu-1": must be an allocated device in the claim'],
    ],
  ])('cannot be %s', (_, status, before, errors) => {
    expect(errorsOf(status, before)).toEqual(errors)
  })

  it('takes no new users for a claim that is deleted', () => {
    const old = stored(resourceClaim, { ...claim(), status: { allocation, reservedFor: [user('a')] } })
    const ending = { ...old, metadata: { ...old.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
    const { errors } = statusUpdated(resourceClaim, ending, ({ status }) => void status.reservedFor?.push(user('b') as never))
    expect(errors).toEqual([
      'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
    ])
  })
})

describe('a slice', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['of a node', slice({ devices: [{ name: 'a', attributes: { model: { string: 'x' } } }] }), []],
    [
      'of no place',
      slice({ nodeName: undefined }),
      ['spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'],
    ],
    [
      'of two places',
      slice({ allNodes: true }),
      [
        'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
      ],
    ],
    [
      'with devices that cannot be told apart',
      slice({ devices: [{ name: 'a', attributes: { model: {} } }, { name: 'a' }] }),
      [
        'spec.devices[0].attributes[model]: Required value: exactly one value must be specified',
        'spec.devices[1].name: Duplicate value: "a"',
      ],
    ],
    [
      'with devices and what they share',
      slice({ devices: [{ name: 'a' }], sharedCounters: [{ name: 's', counters: { m: { value: '1' } } }] }),
      ['spec: Invalid value: "{`devices`, `sharedCounters`}": only one of `devices` and `sharedCounters` may be set'],
    ],
    [
      'with counters that are not there',
      slice({ sharedCounters: [{}] }),
      ['spec.sharedCounters[0].name: Required value', 'spec.sharedCounters[0].counters: Required value'],
    ],
    [
      'with devices that are told wrongly',
      slice({
        devices: [
          { name: 'a', nodeName: 'n', attributes: { 'no-name': { int: 1 } } },
          { name: 'b', taints: [{ key: '', effect: 'Never' }], consumesCounters: [{ counterSet: '', counters: {} }] },
        ],
      }),
      [
        'spec.devices[0].attributes[no-name]: Invalid value: "no-name": a valid C identifier of at most 32 characters is expected',
        'spec.devices[0].nodeName: Forbidden: `nodeName` field may only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
        'spec.devices[1].taints[0].key: Required value',
        'spec.devices[1].taints[0].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
        'spec.devices[1].consumesCounters[0].counterSet: Required value',
        'spec.devices[1].consumesCounters[0].counters: Required value',
      ],
    ],
    [
      'of no pool',
      slice({ pool: { name: '', generation: -1, resourceSliceCount: 0 } }),
      [
        'spec.pool.name: Required value',
        'spec.pool.generation: Invalid value: -1: must be greater than or equal to 0',
        'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      ],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(resourceSlice, manifest).errors).toEqual(errors)
  })

  it('is found by its node and driver', () => {
    const object = stored(resourceSlice, slice())
    expect(resourceSlice.selectableFields['spec.nodeName']?.(object)).toBe('n')
    expect(row(resourceSlice, object)).toMatchObject({ Node: 'n', Driver: 'gpu.example.com', Pool: 'n' })
  })
})
