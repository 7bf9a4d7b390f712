import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { csiDriver } from './csi-driver.ts'
import { csiNode } from './csi-node.ts'
import { csiStorageCapacity } from './csi-storage-capacity.ts'
import { volumeAttachment } from './volume-attachment.ts'
import { volumeAttributesClass } from './volume-attributes-class.ts'

const named = (name: string, more: Loose = {}): Loose => ({ metadata: { name }, ...more })

describe('a CSI driver', () => {
  it('attaches volumes that outlive pods, unless it says otherwise', () => {
    expect(created(csiDriver, { spec: {} }).object.spec).toEqual({
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    })
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['an ordinary one', named('csi.example.com', { spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 600 }] } }), []],
    [
      'with words that nobody knows',
      { spec: { fsGroupPolicy: 'Never', volumeLifecycleModes: ['Short'] } },
      [
        'spec.fsGroupPolicy: Unsupported value: "Never": supported values: "File", "None", "ReadWriteOnceWithFSType"',
        'spec.volumeLifecycleModes[0]: Unsupported value: "Short": supported values: "Ephemeral", "Persistent"',
      ],
    ],
    [
      'with tokens that are too short, too long and twice',
      {
        spec: {
          tokenRequests: [
            { audience: 'a', expirationSeconds: 1 },
            { audience: 'a', expirationSeconds: 2 ** 32 + 1 },
          ],
        },
      },
      [
        'spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
        'spec.tokenRequests[1].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
      ],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(csiDriver, manifest).errors).toEqual(errors)
  })

  it('has a name that CSI allows', () => {
    expect(created(csiDriver, named('x'.repeat(64))).errors[0]).toMatch(/^metadata.name: Too long/)
  })

  it('keeps how its volumes live, and may change the rest', () => {
    const old = stored(csiDriver, { spec: {} })
    expect(updated(csiDriver, old, ({ spec }) => void (spec.requiresRepublish = true)).errors).toEqual([])
    const change = updated(csiDriver, old, ({ spec }) =>
      Object.assign(spec, { attachRequired: false, volumeLifecycleModes: ['Ephemeral'] }),
    )
    expect(change.errors).toEqual([
      'spec.attachRequired: Invalid value: false: field is immutable',
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ])
  })
})

describe('the CSI drivers of a node', () => {
  const driver = (more: Loose = {}): Loose => ({ name: 'csi.example.com', nodeID: 'n', ...more })

  it('have names and ids, once each', () => {
    expect(created(csiNode, { spec: { drivers: [driver({ topologyKeys: ['zone'] })] } }).errors).toEqual([])
    const drivers = [driver({ nodeID: '' }), driver({ topologyKeys: ['a', 'a', ''], allocatable: { count: -1 } })]
    expect(created(csiNode, { spec: { drivers } }).errors).toEqual([
      'spec.drivers[0].nodeID: Required value',
      'spec.drivers[1].name: Duplicate value: "csi.example.com"',
      'spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[1].topologyKeys[1]: Duplicate value: "a"',
      'spec.drivers[1].topologyKeys: Required value: topologyKey cannot be empty',
    ])
  })

  it('come and go, but do not change', () => {
    const old = stored(csiNode, { spec: { drivers: [driver()] } })
    expect(updated(csiNode, old, ({ spec }) => void (spec.drivers = [{ name: 'other', nodeID: 'n' }])).errors).toEqual([])
    const change = updated(csiNode, old, ({ spec }) => void (spec.drivers = [{ name: 'csi.example.com', nodeID: 'other' }]))
    expect(change.errors).toEqual([expect.stringContaining('field is immutable') as string])
  })
})

describe('a storage capacity', () => {
  it('is of a class and not negative', () => {
    expect(created(csiStorageCapacity, { storageClassName: 'fast', capacity: '1Gi' }).errors).toEqual([])
    expect(created(csiStorageCapacity, { storageClassName: '', capacity: '-1', maximumVolumeSize: '-2' }).errors).toEqual([
      'storageClassName: Required value',
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
      'maximumVolumeSize: Invalid value: "-2": must be greater than or equal to 0',
    ])
  })

  it('stays where it is', () => {
    const old = stored(csiStorageCapacity, { storageClassName: 'fast' })
    expect(updated(csiStorageCapacity, old, (object) => void (object.storageClassName = 'slow')).errors).toHaveLength(1)
    expect(updated(csiStorageCapacity, old, (object) => void (object.capacity = '2Gi')).errors).toEqual([])
  })
})

describe('an attachment', () => {
  const of = (source: Loose, more: Loose = {}): Loose => ({ spec: { attacher: 'csi.example.com', nodeName: 'n', source, ...more } })

  it('is not attached when it is new', () => {
    expect(created(volumeAttachment, { ...of({ persistentVolumeName: 'v' }), status: { attached: true } }).object.status).toEqual({
      attached: false,
    })
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['of a volume', of({ persistentVolumeName: 'v' }), []],
    ['of nothing', of({}), ['spec.source: Required value: must specify one of `inlineVolumeSpec` and `persistentVolumeName`']],
    [
      'of two things',
      of({ persistentVolumeName: 'v', inlineVolumeSpec: {} }),
      ['spec.source: Forbidden: only one of `inlineVolumeSpec` and `persistentVolumeName` may be specified'],
    ],
    [
      'by nobody to nowhere',
      of({ persistentVolumeName: 'v' }, { attacher: '', nodeName: '' }),
      ['spec.attacher: Required value', 'spec.nodeName: Required value'],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(volumeAttachment, manifest).errors).toEqual(errors)
  })

  it('is of the same volume for ever', () => {
    const old = stored(volumeAttachment, of({ persistentVolumeName: 'v' }))
    expect(updated(volumeAttachment, old, ({ spec }) => void (spec.nodeName = 'other')).errors).toHaveLength(1)
  })

  it('shows what is attached where', () => {
    const object = stored(volumeAttachment, { ...of({ persistentVolumeName: 'v' }), status: { attached: true } })
    expect(row(volumeAttachment, object)).toMatchObject({ Attacher: 'csi.example.com', PV: 'v', Node: 'n', Attached: true })
  })
})

describe('a class of volume attributes', () => {
  it('has a driver and at least one attribute, which stay', () => {
    expect(created(volumeAttributesClass, { driverName: 'csi.example.com', parameters: { iops: '1' } }).errors).toEqual([])
    expect(created(volumeAttributesClass, { driverName: 'csi.example.com' }).errors).toEqual([
      'parameters: Required value: must contain at least one parameter/attribute pair',
    ])
    const old = stored(volumeAttributesClass, { driverName: 'csi.example.com', parameters: { iops: '1' } })
    const change = updated(volumeAttributesClass, old, (object) => void (object.parameters = { iops: '2' }))
    expect(change.errors).toEqual(['parameters: Invalid value: {"iops":"2"}: field is immutable'])
  })
})
