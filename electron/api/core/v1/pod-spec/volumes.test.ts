import { describe, expect, it } from 'vitest'
import { container, shown, testPod, type Loose } from '../../../testing/objects.ts'
import { validateNewPod } from './pod.ts'

const volume = (more: Loose) => ({ name: 'v', ...more })

describe('volumes', () => {
  const cases: [what: string, volumes: Loose[], errors: string[]][] = [
    [
      'one of the usual ones each',
      [
        { name: 'a', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
        { name: 'b', hostPath: { path: '/data', type: 'Directory' } },
        { name: 'c', secret: { secretName: 's', items: [{ key: 'k', path: 'p', mode: 0o400 }] } },
        { name: 'd', configMap: { name: 'c', optional: true } },
        { name: 'e', persistentVolumeClaim: { claimName: 'p' } },
        { name: 'f', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        { name: 'g', nfs: { server: 's', path: '/p' } },
        { name: 'h', csi: { driver: 'csi.example.com' } },
        { name: 'i', image: { reference: 'registry.example/data:1' } },
      ],
      [],
    ],
    ['nothing but a name is an empty directory', [{ name: 'a' }], []],
    ['no name', [{ name: '', emptyDir: {} }], ['[0].name: Required value']],
    ['a name twice', [volume({}), volume({})], ['[1].name: Duplicate value: "v"']],
    [
      'two sources',
      [volume({ emptyDir: {}, hostPath: { path: '/x' } })],
      ['[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'a host path that climbs, and an unknown type',
      [volume({ hostPath: { path: '/a/../b', type: 'Pipe' } })],
      [
        '[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
        '[0].hostPath.type: Unsupported value: "Pipe": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    ],
    ['no secret name', [volume({ secret: {} })], ['[0].secret.secretName: Required value']],
    ['no config map name', [volume({ configMap: {} })], ['[0].configMap.name: Required value']],
    [
      'a mode that is none',
      [volume({ secret: { secretName: 's', defaultMode: 0o1000 } })],
      ['[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive'],
    ],
    [
      'an absolute path of a key',
      [volume({ configMap: { name: 'c', items: [{ key: 'k', path: '/p' }] } })],
      ['[0].configMap.items[0].path: Invalid value: "/p": must be a relative path'],
    ],
    ['no claim name', [volume({ persistentVolumeClaim: {} })], ['[0].persistentVolumeClaim.claimName: Required value']],
    [
      'a relative path of a share',
      [volume({ nfs: { server: 's', path: 'p' } })],
      ['[0].nfs.path: Invalid value: "p": must be an absolute path'],
    ],
    [
      'a path twice in a projection',
      [
        volume({
          projected: {
            sources: [
              { secret: { name: 's', items: [{ key: 'k', path: 'p' }] } },
              { configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
            ],
          },
        }),
      ],
      ['[0].projected: Invalid value: "c": conflicting duplicate paths'],
    ],
    [
      'a token for less than ten minutes',
      [volume({ projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 599 } }] } })],
      [
        '[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
      ],
    ],
    [
      'an ephemeral claim without access modes and size',
      [volume({ ephemeral: { volumeClaimTemplate: { metadata: {}, spec: { resources: {} } } } })],
      [
        '[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
        '[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
      ],
    ],
    ['an image without a reference', [volume({ image: {} })], ['[0].image.reference: Required value']],
  ]
  it.each(cases)('%s', (_, volumes, errors) => {
    const pod = testPod({ volumes, serviceAccountName: 'default' })
    expect(shown(validateNewPod(pod))).toEqual(errors.map((error) => `spec.volumes${error}`))
  })
})

describe('mounts', () => {
  const cases: [what: string, more: Loose, errors: string[]][] = [
    ['a path in a volume', { volumeMounts: [{ name: 'v', mountPath: '/x', subPath: 'a/b' }] }, []],
    ['a volume that is not there', { volumeMounts: [{ name: 'w', mountPath: '/x' }] }, ['volumeMounts[0].name: Not found: "w"']],
    [
      'no path, and the same path twice',
      {
        volumeMounts: [
          { name: 'v', mountPath: '' },
          { name: 'v', mountPath: '/x' },
          { name: 'v', mountPath: '/x' },
        ],
      },
      ['volumeMounts[0].mountPath: Required value', 'volumeMounts[2].mountPath: Invalid value: "/x": must be unique'],
    ],
    [
      'a path that climbs out of the volume',
      { volumeMounts: [{ name: 'v', mountPath: '/x', subPath: '../a' }] },
      ['volumeMounts.subPath: Invalid value: "../a": must not contain \'..\''],
    ],
    [
      'propagation back to the host without privilege',
      { volumeMounts: [{ name: 'v', mountPath: '/x', mountPropagation: 'Bidirectional' }] },
      ['volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers'],
    ],
    [
      'recursively read-only without being read-only',
      { volumeMounts: [{ name: 'v', mountPath: '/x', recursiveReadOnly: 'Enabled' }] },
      ['volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true'],
    ],
    [
      'a device that is no claim',
      { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] },
      ['volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'],
    ],
  ]
  it.each(cases)('%s', (_, more, errors) => {
    const pod = testPod({ volumes: [volume({})], containers: [container(more)] })
    expect(shown(validateNewPod(pod))).toEqual(errors.map((error) => `spec.containers[0].${error}`))
  })
})
