import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import { LOCAL_PROVISIONER } from '../../api/infra/v1alpha1/local-volumes.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { storageClass as classKind } from '../../api/storage/v1/storage-class.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { isGone } from '../testing/custom-resources.ts'
import { overrideClient } from '../testing/override-client.ts'
import { claimOf } from '../testing/storage.ts'

const only = [
  'flotilla-local-volume-controller',
  'persistentvolume-binder-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'persistentvolume-expander-controller',
]
const at = (name: string) => ({ namespace: NAMESPACE, name })

interface Disks {
  /** "node/volume" of each folder. */
  readonly folders: Set<string>
  /** Nodes that do not answer. */
  readonly silent: Set<string>
}

/** Stands where the API server would ask agents. */
function agents(client: Client, { folders, silent }: Disks): Client {
  return overrideClient(client, {
    async request(request) {
      const [, node = '', name = ''] = /^\/api\/v1\/nodes\/([^/]+)\/proxy\/flotilla\/v1\/volumes\/([^/]+)$/.exec(request.path) ?? []
      if (!node) return client.request(request)
      const answer = (status: number, text: string) => ({
        status,
        headers: {},
        body: Object.assign(ReadableStream.from([Buffer.from(text)]), { [Symbol.asyncDispose]: async () => undefined }),
      })
      if (silent.has(node)) return answer(503, JSON.stringify({ kind: 'Status', message: `the agent of node "${node}" cannot be reached` }))
      if (request.method === 'PUT') folders.add(`${node}/${name}`)
      else folders.delete(`${node}/${name}`)
      return answer(200, JSON.stringify({ path: `/volumes/${name}` }))
    },
  })
}

async function start(more: Draft<StorageClass> = {}): Promise<TestCluster & Disks> {
  const disks: Disks = { folders: new Set(), silent: new Set() }
  const cluster = await startCluster({ only, hollow: { nodes: 2 }, wrap: (client) => agents(client, disks) })
  await cluster.client.create(classKind, {
    provisioner: LOCAL_PROVISIONER,
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
    ...more,
    metadata: { name: 'local' },
  })
  return { ...cluster, ...disks }
}

/** As the scheduler does it. */
const select = ({ client }: TestCluster, name: string, node: string | null) =>
  client.patch(claimKind, at(name), {
    type: 'merge',
    body: { metadata: { annotations: { 'volume.kubernetes.io/selected-node': node } } },
  })
const claim = async (cluster: TestCluster, spec: Draft<PersistentVolumeClaim['spec']> = {}) => {
  const made = await cluster.client.create(claimKind, claimOf('data', { storageClassName: 'local', ...spec }))
  await select(cluster, 'data', 'node-1')
  await cluster.quiet()
  return `pvc-${made.metadata.uid}`
}

describe('a claim of the local class', () => {
  it('gets a folder on the node that was chosen for it', async () => {
    await using cluster = await start()
    const name = await claim(cluster)
    expect([...cluster.folders]).toEqual([`node-1/${name}`])
    const { spec, metadata, status } = await cluster.client.get(volumeKind, { name })
    expect(spec).toMatchObject({
      capacity: { storage: '500Mi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'local',
      local: { path: `/volumes/${name}` },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }] }] },
      },
    })
    expect([metadata.annotations?.['pv.kubernetes.io/provisioned-by'], status.phase]).toEqual([LOCAL_PROVISIONER, 'Bound'])
    expect((await cluster.client.get(claimKind, at('data'))).status.phase).toBe('Bound')
    expect(await cluster.events('data')).toEqual(
      expect.arrayContaining([
        `Provisioning: External provisioner is provisioning volume for claim "test/data"`,
        `ProvisioningSucceeded: Successfully provisioned volume ${name}`,
      ]),
    )
    expect(cluster.complaints).toEqual([])
  })

  it('takes its folder and volume with it', async () => {
    await using cluster = await start()
    const name = await claim(cluster)
    await cluster.client.delete(claimKind, at('data'))
    await cluster.quiet()
    expect([...cluster.folders]).toEqual([])
    expect(await isGone(cluster.client.get(volumeKind, { name }))).toBe(true)
  })

  it('leaves both where its class says so, and the folder even when the volume is deleted', async () => {
    await using cluster = await start({ reclaimPolicy: 'Retain' })
    const name = await claim(cluster)
    await cluster.client.delete(claimKind, at('data'))
    await cluster.quiet()
    expect((await cluster.client.get(volumeKind, { name })).status.phase).toBe('Released')
    await cluster.client.delete(volumeKind, { name })
    await cluster.quiet()
    expect(await isGone(cluster.client.get(volumeKind, { name }))).toBe(true)
    expect([...cluster.folders]).toEqual([`node-1/${name}`])
  })

  it('has its folder removed as well when the volume is deleted first', async () => {
    await using cluster = await start()
    const name = await claim(cluster)
    await cluster.client.delete(volumeKind, { name })
    await cluster.quiet()
    expect([...cluster.folders]).toEqual([`node-1/${name}`])
    await cluster.client.delete(claimKind, at('data'))
    await cluster.quiet()
    expect([...cluster.folders]).toEqual([])
    expect(await isGone(cluster.client.get(volumeKind, { name }))).toBe(true)
  })

  it('waits for a node that does not answer, and so does its removal', async () => {
    await using cluster = await start()
    cluster.silent.add('node-1')
    const name = await claim(cluster)
    expect(await cluster.events('data')).toContain(
      'ProvisioningFailed: failed to provision volume with StorageClass "local": infra.flotilla.dev/local on node node-1: the agent of node "node-1" cannot be reached',
    )
    cluster.silent.clear()
    await cluster.advance(30_000)
    expect((await cluster.client.get(claimKind, at('data'))).status.phase).toBe('Bound')
    cluster.silent.add('node-1')
    await cluster.client.delete(claimKind, at('data'))
    await cluster.quiet()
    expect((await cluster.client.get(volumeKind, { name })).status.phase).toBe('Released')
    expect(await cluster.events(name)).toEqual([expect.stringMatching(/^VolumeFailedDelete: .*cannot be reached$/)])
    cluster.silent.clear()
    await cluster.advance(30_000)
    expect(await isGone(cluster.client.get(volumeKind, { name }))).toBe(true)
    expect([...cluster.folders]).toEqual([])
  })

  it('asks for another node when the chosen one is gone, and lets volumes go whose node is', async () => {
    await using cluster = await start()
    const name = await claim(cluster)
    cluster.nodes.names.delete('node-1')
    await cluster.client.delete(nodeKind, { name: 'node-1' })
    await cluster.client.delete(claimKind, at('data'))
    await cluster.quiet()
    expect(await isGone(cluster.client.get(volumeKind, { name }))).toBe(true)
    await claim(cluster)
    const { metadata } = await cluster.client.get(claimKind, at('data'))
    expect(metadata.annotations).not.toHaveProperty('volume.kubernetes.io/selected-node')
  })

  it.each<[what: string, spec: Draft<PersistentVolumeClaim['spec']>, why: RegExp]>([
    ['by several nodes', { accessModes: ['ReadWriteMany'] }, /access mode ReadWriteMany is not supported/],
    ['as a device', { volumeMode: 'Block' }, /raw block volumes are not supported/],
    ['by labels', { selector: { matchLabels: { a: 'b' } } }, /claim Selector is not supported$/],
  ])('is refused by name what it cannot have: to be used %s', async (_what, spec, why) => {
    await using cluster = await start()
    await claim(cluster, spec)
    expect(await cluster.events('data')).toContainEqual(expect.stringMatching(why))
    expect(cluster.folders.size).toBe(0)
  })

  it('is refused where its class does not wait for a pod', async () => {
    await using cluster = await start({ volumeBindingMode: 'Immediate' })
    await claim(cluster)
    expect(await cluster.events('data')).toContainEqual(expect.stringContaining('needs volumeBindingMode WaitForFirstConsumer'))
  })
})

describe('a claim that grows', () => {
  const grow = async (cluster: TestCluster) => {
    await cluster.client.patch(claimKind, at('data'), { type: 'merge', body: { spec: { resources: { requests: { storage: '2Gi' } } } } })
    await cluster.quiet()
  }

  it('has its local volume with it', async () => {
    await using cluster = await start()
    const name = await claim(cluster)
    await grow(cluster)
    expect((await cluster.client.get(volumeKind, { name })).spec.capacity).toEqual({ storage: '2Gi' })
    const { status } = await cluster.client.get(claimKind, at('data'))
    expect([status.capacity, status.allocatedResources, status.allocatedResourceStatuses, status.conditions ?? []]).toEqual([
      { storage: '2Gi' },
      { storage: '2Gi' },
      undefined,
      [],
    ])
    expect(await cluster.events('data')).toContain('VolumeResizeSuccessful: Resize volume succeeded')
    expect(cluster.complaints).toEqual([])
  })

  it('waits for who made its volume, if that is somebody else', async () => {
    await using cluster = await start()
    const name = await claim(cluster)
    const annotations = { 'pv.kubernetes.io/provisioned-by': 'example.com/disks' }
    await cluster.client.patch(volumeKind, { name }, { type: 'merge', body: { metadata: { annotations } } })
    await cluster.quiet()
    await grow(cluster)
    expect(await cluster.events('data')).toContain('ExternalExpanding: waiting for an external controller to expand this PVC')
    expect((await cluster.client.get(claimKind, at('data'))).status.capacity).toEqual({ storage: '500Mi' })
  })
})
