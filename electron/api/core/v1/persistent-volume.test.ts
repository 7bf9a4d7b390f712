import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, stored, updated } from '../../testing/rules.ts'
import { accessModesText, persistentVolume } from './persistent-volume.ts'

const nfs = { server: 's', path: '/p' }
const of = (more: Loose = {}): Loose => ({ spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs, ...more } })

describe('a persistent volume', () => {
  it('is kept and a file system, unless it says otherwise', () => {
    const { spec, status } = decoded(persistentVolume, of({ nfs: undefined, hostPath: { path: '/a' } }))
    expect(spec).toMatchObject({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem', hostPath: { path: '/a', type: '' } })
    expect(status).toEqual({ phase: 'Pending' })
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['an ordinary one', {}, []],
    [
      'that says nothing',
      { capacity: undefined, accessModes: undefined, nfs: undefined },
      [
        'spec.accessModes: Required value',
        'spec.capacity: Required value',
        'spec.capacity: Unsupported value: {}: supported values: "storage"',
        'spec: Required value: must specify a volume type',
      ],
    ],
    ['of two sources', { hostPath: { path: '/a' } }, ['spec.nfs: Forbidden: may not specify more than 1 volume type']],
    [
      'of no size and modes that do not go together',
      { capacity: { storage: '0' }, accessModes: ['ReadWriteOncePod', 'ReadWriteMany', 'Some'] },
      [
        'spec.accessModes: Unsupported value: "Some": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
        'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
      ],
    ],
    [
      'of a disk that no node has',
      { nfs: undefined, local: { path: '/a' } },
      ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
    ],
    [
      'of a driver with half of what it needs',
      { nfs: undefined, csi: { driver: 'a.b', volumeHandle: '', nodePublishSecretRef: { name: 'x' } } },
      ['spec.csi.volumeHandle: Required value', 'spec.csi.nodePublishSecretRef.namespace: Required value'],
    ],
    [
      'with words that nobody knows',
      { persistentVolumeReclaimPolicy: 'Burn', volumeMode: 'Tape', storageClassName: 'A_' },
      [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
        "spec.storageClassName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
      ],
    ],
    [
      'that would wipe a machine',
      { nfs: undefined, hostPath: { path: '//' }, persistentVolumeReclaimPolicy: 'Recycle' },
      ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
    ],
    [
      'of a class that its source does not know',
      { volumeAttributesClassName: '' },
      [
        'spec.volumeAttributesClassName: Required value: an empty string is disallowed',
        'spec.csi: Required value: has to be specified when using volumeAttributesClassName',
      ],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(persistentVolume, of(spec)).errors).toEqual(errors)
  })

  it('keeps its source', () => {
    const { errors } = updated(persistentVolume, stored(persistentVolume, of()), ({ spec }) => {
      spec.nfs = { server: 't', path: '/p' }
    })
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatch(/^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable after creation\n/)
    expect(errors[0]).toContain('-  "server": "s"')
    expect(errors[0]).toContain('+  "server": "t"')
  })

  it('keeps its mode, and grows', () => {
    const { errors } = updated(persistentVolume, stored(persistentVolume, of()), ({ spec }) => {
      Object.assign(spec, { volumeMode: 'Block', capacity: { storage: '2Gi' } })
    })
    expect(errors).toEqual(['volumeMode: Invalid value: "Block": field is immutable'])
  })

  it('is shown with its claim', () => {
    const spec = { claimRef: { namespace: 'a', name: 'b' }, storageClassName: 'fast' }
    expect(row(persistentVolume, stored(persistentVolume, { ...of(spec), status: { phase: 'Bound' } }))).toEqual({
      Capacity: '1Gi',
      'Access Modes': 'RWO',
      'Reclaim Policy': 'Retain',
      Status: 'Bound',
      Claim: 'a/b',
      StorageClass: 'fast',
      VolumeAttributesClass: '<unset>',
      Reason: '',
      Age: '60m',
      VolumeMode: 'Filesystem',
    })
  })

  it('shows modes in one order, each once', () => {
    expect(accessModesText(['ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOnce'])).toBe('RWO,RWX')
  })
})
