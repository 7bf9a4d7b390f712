import { describe, expect, it } from 'vitest'
import { persistentVolumeClaim } from '../../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume } from '../../../api/core/v1/persistent-volume.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import { storageClass } from '../../../api/storage/v1/storage-class.ts'
import type { StorageClass } from '../../../api/storage/v1/types.gen.ts'
import { startCluster, type TestCluster } from '../../testing/cluster.ts'
import { NAMESPACE, nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { volumeBinding } from './volume-binding.ts'

const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes' }
const VOLUMES = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
const pod = podOf('web', { spec: { volumes: VOLUMES } })
const claimOf = (parts: { spec?: object; metadata?: object; status?: object }) =>
  ({
    metadata: { name: 'data', namespace: NAMESPACE, ...parts.metadata },
    spec: { ...parts.spec },
    status: { ...parts.status },
  }) as unknown as PersistentVolumeClaim
const boundClaim = claimOf({ metadata: { annotations: BOUND }, spec: { volumeName: 'pv-a' } })
const onNode = (name: string) => {
  const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] }]
  return { spec: { nodeAffinity: { required: { nodeSelectorTerms: terms } } } } as unknown as PersistentVolume
}
const reasons = (claim: PersistentVolumeClaim | undefined, volume?: PersistentVolume) =>
  pluginWorld([volumeBinding], {
    nodes: [nodeOf('a'), nodeOf('b')],
    objects: { persistentVolumeClaim: () => claim, persistentVolume: () => volume },
  }).reasons(pod)

describe('VolumeBinding', () => {
  it('keeps a pod on the nodes that reach its volumes', () => {
    expect(reasons(boundClaim, onNode('a'))).toEqual({ a: '', b: "node(s) didn't match PersistentVolume's node affinity" })
    expect(reasons(boundClaim, { spec: {} } as unknown as PersistentVolume)).toEqual({ a: '', b: '' })
  })

  it.each<[string, PersistentVolumeClaim | undefined, string]>([
    ['a claim that is not there', undefined, 'persistentvolumeclaim "data" not found'],
    ['a claim that is not bound', claimOf({}), 'pod has unbound immediate PersistentVolumeClaims'],
    [
      'a claim whose binding is not completed',
      claimOf({ spec: { volumeName: 'pv-a' } }),
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'a claim that is leaving',
      claimOf({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      'persistentvolumeclaim "data" is being deleted',
    ],
    ['a volume that is not there', boundClaim, 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'],
  ])('has a pod wait for %s', (_name, claim, reason) => {
    expect(reasons(claim)).toEqual({ a: reason, b: reason })
  })

  const late = (more: object = {}) =>
    ({ volumeBindingMode: 'WaitForFirstConsumer', provisioner: 'example.com/disks', ...more }) as StorageClass
  const NOT_FOUND = 'node(s) did not find available persistent volumes to bind'
  const openClaim = (metadata: object = {}) =>
    claimOf({ metadata, spec: { storageClassName: 'local', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
  const found = (ofClass: StorageClass, claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[] = []) =>
    pluginWorld([volumeBinding], {
      nodes: [nodeOf('a', { labels: { zone: 'x' } }), nodeOf('b', { labels: { zone: 'y' } })],
      objects: { persistentVolumeClaim: () => claim, persistentVolumesFor: () => volumes, storageClass: () => ofClass },
    }).reasons(pod)
  const free = (name: string, storage = '1Gi') =>
    ({
      metadata: { name: `pv-${name}` },
      spec: { ...onNode(name).spec, capacity: { storage }, accessModes: ['ReadWriteOnce'], storageClassName: 'local' },
      status: { phase: 'Available' },
    }) as unknown as PersistentVolume

  it('lets an open claim have a volume that is there, where it can be reached', () => {
    const manual = late({ provisioner: 'kubernetes.io/no-provisioner' })
    expect(found(manual, openClaim(), [free('b')])).toEqual({ a: NOT_FOUND, b: '' })
    expect(found(manual, openClaim(), [free('b', '1Mi')])).toEqual({ a: NOT_FOUND, b: NOT_FOUND })
  })

  it('lets an open claim have a volume made, where its class allows it', () => {
    expect(found(late(), openClaim())).toEqual({ a: '', b: '' })
    const allowedTopologies = [{ matchLabelExpressions: [{ key: 'zone', values: ['y'] }] }]
    expect(found(late({ allowedTopologies }), openClaim())).toEqual({ a: NOT_FOUND, b: '' })
  })

  it('leaves a claim to the node that was chosen for it before', () => {
    const chosen = { annotations: { 'volume.kubernetes.io/selected-node': 'b' } }
    expect(found(late(), openClaim(chosen))).toEqual({ a: NOT_FOUND, b: '' })
  })

  it('has nothing to say of a pod without claims', () => {
    const world = pluginWorld([volumeBinding], { nodes: [nodeOf('a')] })
    expect(world.reasons(podOf('web', { spec: { volumes: [{ name: 'tmp', emptyDir: {} }] } }))).toEqual({ a: '' })
  })

  it('tries a pod again when its claim comes', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('only')
    await cluster.addPod('web', { spec: { volumes: VOLUMES } })
    await cluster.quiet()
    expect(await cluster.scheduled('web')).toMatchObject({ message: expect.stringContaining('persistentvolumeclaim "data" not found') })
    await cluster.client.create(persistentVolumeClaim, {
      metadata: { name: 'data', namespace: NAMESPACE },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    await cluster.advance(1000)
    expect(await cluster.scheduled('web')).toMatchObject({
      message: expect.stringContaining('pod has unbound immediate PersistentVolumeClaims'),
    })
  })
})

describe('the volumes of a pod that is placed', () => {
  const at = (name: string) => ({ namespace: NAMESPACE, name })
  const claim = (name: string) => ({
    metadata: at(name),
    spec: { storageClassName: 'local', accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '1Gi' } } },
  })
  const volume = (name: string, node: string) => ({
    metadata: { name },
    spec: {
      ...onNode(node).spec,
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce' as const],
      storageClassName: 'local',
      local: { path: `/srv/${name}` },
    },
  })
  const webWith = (claimName: string) => ({ spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] } })
  const start = async (provisioner: string) => {
    const cluster = await startCluster()
    await cluster.client.create(storageClass, { metadata: { name: 'local' }, provisioner, volumeBindingMode: 'WaitForFirstConsumer' })
    await cluster.addNode('only')
    return cluster
  }
  /** As the controller that binds claims does it. */
  const bind = async ({ client }: TestCluster, name: string, volumeName: string) => {
    await client.patch(persistentVolumeClaim, at(name), { type: 'merge', body: { spec: { volumeName } } })
    await client.patch(persistentVolumeClaim, at(name), { type: 'merge', body: { status: { phase: 'Bound' } } }, { subresource: 'status' })
  }
  const makeFree = async ({ client }: TestCluster, name: string) => {
    await client.create(persistentVolume, volume(name, 'only'))
    await client.patch(persistentVolume, { name }, { type: 'merge', body: { status: { phase: 'Available' } } }, { subresource: 'status' })
  }

  it('are promised to its claims, and waited for', async () => {
    await using cluster = await start('kubernetes.io/no-provisioner')
    const { client } = cluster
    await makeFree(cluster, 'pv')
    const { metadata } = await client.create(persistentVolumeClaim, claim('data'))
    await cluster.addPod('web', webWith('data'))
    await cluster.quiet()
    const { spec, metadata: chosen } = await client.get(persistentVolume, { name: 'pv' })
    expect([spec.claimRef, chosen.annotations]).toMatchObject([
      { ...at('data'), uid: metadata.uid },
      { 'pv.kubernetes.io/bound-by-controller': 'yes' },
    ])
    expect(await cluster.nodeOf('web')).toBe('')
    await bind(cluster, 'data', 'pv')
    await cluster.advance(200)
    expect(await cluster.nodeOf('web')).toBe('only')
  })

  it('are not promised twice', async () => {
    await using cluster = await start('kubernetes.io/no-provisioner')
    await makeFree(cluster, 'pv')
    for (const name of ['one', 'two']) {
      await cluster.client.create(persistentVolumeClaim, claim(name))
      await cluster.addPod(name, webWith(name))
    }
    await cluster.quiet()
    expect((await cluster.scheduled('two'))?.message).toContain('did not find available persistent volumes to bind')
    expect((await cluster.scheduled('one'))?.status).not.toBe('False')
  })

  it('are asked for, and asked for again elsewhere when they could not be made', async () => {
    await using cluster = await start('example.com/disks')
    const { client } = cluster
    await client.create(persistentVolumeClaim, claim('data'))
    await cluster.addPod('web', webWith('data'))
    await cluster.quiet()
    const selected = async () =>
      (await client.get(persistentVolumeClaim, at('data'))).metadata.annotations?.['volume.kubernetes.io/selected-node']
    expect(await selected()).toBe('only')
    const body = { metadata: { annotations: { 'volume.kubernetes.io/selected-node': null } } }
    await client.patch(persistentVolumeClaim, at('data'), { type: 'merge', body })
    await cluster.advance(200)
    expect(await cluster.events('web')).toEqual([expect.stringContaining('binding volumes: provisioning failed for PVC "test/data"')])
    await cluster.advance(2000)
    expect(await selected()).toBe('only')
  })

  it('are not waited for without end', async () => {
    await using cluster = await start('example.com/disks')
    await cluster.client.create(persistentVolumeClaim, claim('data'))
    await cluster.addPod('web', webWith('data'))
    await cluster.quiet()
    await cluster.advance(600_200)
    expect(await cluster.events('web')).toEqual([expect.stringContaining('timed out waiting for the condition: test/data not bound')])
  })
})
