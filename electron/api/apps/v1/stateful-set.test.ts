import { describe, expect, it } from 'vitest'
import { container, type Loose } from '../../testing/objects.ts'
import { created, decoded, row, stored, updated } from '../../testing/rules.ts'
import { controllerRevision } from './controller-revision.ts'
import { statefulSet } from './stateful-set.ts'

const of = (more: Loose = {}): Loose => ({
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container()] } },
    ...more,
  },
})

describe('a stateful set', () => {
  it('makes its pods in order and keeps their claims, unless it says otherwise', () => {
    const claim = { metadata: { name: 'data' }, spec: {} }
    expect(decoded(statefulSet, of({ volumeClaimTemplates: [claim] })).spec).toMatchObject({
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      replicas: 1,
      revisionHistoryLimit: 10,
      volumeClaimTemplates: [
        { apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
      ],
    })
    expect(decoded(statefulSet, of({ updateStrategy: { type: 'RollingUpdate' } })).spec.updateStrategy).toEqual({ type: 'RollingUpdate' })
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    [
      'with words that nobody knows',
      {
        podManagementPolicy: 'Some',
        updateStrategy: { type: 'Some' },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Burn', whenScaled: 'Delete' },
      },
      [
        "spec.podManagementPolicy: Invalid value: \"Some\": must be 'OrderedReady' or 'Parallel'",
        'spec.updateStrategy: Invalid value: {"type":"Some"}: must be \'RollingUpdate\' or \'OnDelete\'',
        'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Burn": supported values: "Retain", "Delete"',
      ],
    ],
    [
      'with numbers below what can be',
      {
        ordinals: { start: -1 },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: -1, maxUnavailable: 0 } },
      },
      [
        'spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0',
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0',
        'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'with steps where there are none',
      { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
      ['spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy \'RollingUpdate\''],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(statefulSet, of(spec)).errors).toEqual(errors)
  })

  it('has names that pods can have', () => {
    expect(statefulSet.validateName('a.b')).toEqual(['must not contain dots'])
  })

  it('changes in what does not decide who its pods are', () => {
    const old = stored(statefulSet, of())
    const fine = updated(statefulSet, old, ({ spec }) => {
      Object.assign(spec, { replicas: 3, minReadySeconds: 5, ordinals: { start: 2 } })
    })
    expect(fine.errors).toEqual([])
    const other = updated(statefulSet, old, ({ spec }) => {
      spec.serviceName = 'other'
    })
    expect(other.errors).toHaveLength(1)
  })

  it('is shown with its pods', () => {
    expect(row(statefulSet, stored(statefulSet, { ...of({ replicas: 2 }), status: { replicas: 2, readyReplicas: 1 } }))).toEqual({
      Ready: '1/2',
      Age: '60m',
      Containers: 'app',
      Images: 'registry.example/app:1',
    })
  })
})

describe('a revision', () => {
  const owner = (apiVersion: string) => ({
    metadata: { ownerReferences: [{ apiVersion, kind: 'DaemonSet', name: 'web', uid: 'u', controller: true }] },
    data: { a: 1 },
    revision: 2,
  })

  it('has data, which stay', () => {
    expect(created(controllerRevision, { revision: -1 }).errors).toEqual([
      'data: Required value: data is mandatory',
      'revision: Invalid value: -1: must be greater than or equal to 0',
    ])
    const outcome = updated(controllerRevision, stored(controllerRevision, { data: { a: 1 }, revision: 1 }), (object) => {
      Object.assign(object, { data: { a: 2 }, revision: 3 })
    })
    expect(outcome.errors).toEqual(['data: Invalid value: {"a":2}: field is immutable'])
  })

  it('is shown with what it is a revision of', () => {
    const shown = (manifest: Loose) => row(controllerRevision, stored(controllerRevision, manifest))
    expect(shown(owner('apps/v1'))).toEqual({ Controller: 'daemonset.apps/web', Revision: 2, Age: '60m' })
    expect(shown(owner('v1'))).toMatchObject({ Controller: 'daemonset/web' })
    expect(shown({ data: {}, revision: 1 })).toMatchObject({ Controller: '<none>' })
  })
})
