import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { persistentVolumeClaim } from './persistent-volume-claim.ts'
import type { PersistentVolumeClaim } from './types.gen.ts'

const of = (more: Loose = {}, status: Loose = {}): Loose => ({
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more },
  status,
})
const BOUND = { phase: 'Bound', capacity: { storage: '1Gi' } }

describe('a claim', () => {
  it('is of a file system, unless it says otherwise', () => {
    const { spec, status } = decoded(persistentVolumeClaim, of())
    expect([spec.volumeMode, status.phase]).toEqual(['Filesystem', 'Pending'])
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['an ordinary one', {}, []],
    [
      'of nothing',
      { accessModes: [], resources: {} },
      ['spec.accessModes: Required value: at least 1 access mode is required', 'spec.resources[storage]: Required value'],
    ],
    [
      'of no size',
      { resources: { requests: { storage: '0' } } },
      ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
    ],
    [
      'from two different sources',
      { dataSource: { kind: 'PersistentVolumeClaim', name: 'a' }, dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' } },
      ['spec: Invalid value: "spec.dataSource": must match dataSourceRef'],
    ],
    [
      'from what is no claim',
      { dataSource: { kind: 'Pod', name: '' } },
      [
        'spec.dataSource.name: Required value',
        'spec.dataSource: Invalid value: "Pod": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
        'spec.dataSourceRef.name: Required value',
        'spec.dataSourceRef: Invalid value: "Pod": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      ],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(persistentVolumeClaim, of(spec)).errors).toEqual(errors)
  })

  it('means one source by either field', () => {
    const source = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'a' }
    for (const name of ['dataSource', 'dataSourceRef']) {
      expect(created(persistentVolumeClaim, of({ [name]: source })).object.spec).toMatchObject({
        dataSource: source,
        dataSourceRef: source,
      })
    }
    const elsewhere = created(persistentVolumeClaim, of({ dataSourceRef: { ...source, namespace: 'b' } })).object.spec
    expect(elsewhere.dataSource).toBeUndefined()
  })

  const LESS = 'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'
  it.each<[what: string, old: Loose, change: (spec: PersistentVolumeClaim['spec']) => void, errors: (string | RegExp)[]]>([
    ['gets its volume', of(), (spec) => (spec.volumeName = 'pv'), []],
    ['grows when it is bound', of({}, BOUND), (spec) => (spec.resources.requests = { storage: '2Gi' }), []],
    [
      'does not grow before',
      of(),
      (spec) => (spec.resources.requests = { storage: '2Gi' }),
      [/^spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims\n/],
    ],
    ['does not shrink', of({}, BOUND), (spec) => (spec.resources.requests = { storage: '512Mi' }), [LESS]],
    [
      'takes back what could not be had',
      of({ resources: { requests: { storage: '9Gi' } } }, BOUND),
      (spec) => (spec.resources.requests = { storage: '2Gi' }),
      [],
    ],
    ['gets a class afterwards', of({}, BOUND), (spec) => (spec.storageClassName = 'fast'), []],
    [
      'keeps its class and mode',
      of({ storageClassName: 'slow' }),
      (spec) => Object.assign(spec, { storageClassName: 'fast', volumeMode: 'Block' }),
      [/^spec: Forbidden: spec is immutable/, 'volumeMode: Invalid value: "Block": field is immutable'],
    ],
    [
      'keeps the attributes that it has',
      of({ volumeAttributesClassName: 'a' }, { ...BOUND, currentVolumeAttributesClassName: 'a' }),
      (spec) => delete spec.volumeAttributesClassName,
      ['spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil'],
    ],
  ])('%s', (_, old, change, errors) => {
    const outcome = updated(persistentVolumeClaim, stored(persistentVolumeClaim, old), ({ spec }) => {
      change(spec)
    })
    expect(outcome.errors).toEqual(errors.map((error) => (typeof error === 'string' ? error : expect.stringMatching(error))))
  })

  it('reports sizes and steps that there are', () => {
    const outcome = statusUpdated(persistentVolumeClaim, stored(persistentVolumeClaim, of()), ({ status }) => {
      Object.assign(status, { capacity: { storage: '-1' }, allocatedResourceStatuses: { storage: 'Some' } })
    })
    expect(outcome.errors).toEqual([
      'status.capacity[storage]: Invalid value: "-1": must be a valid resource quantity',
      'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    ])
  })

  it('is shown with its volume once it has one', () => {
    expect(row(persistentVolumeClaim, stored(persistentVolumeClaim, of()))).toMatchObject({
      Status: 'Pending',
      Capacity: '',
      'Access Modes': '',
    })
    const bound = stored(persistentVolumeClaim, of({ volumeName: 'pv' }, { ...BOUND, accessModes: ['ReadWriteOnce'] }))
    expect(row(persistentVolumeClaim, bound)).toMatchObject({ Status: 'Bound', Volume: 'pv', Capacity: '1Gi', 'Access Modes': 'RWO' })
  })
})
