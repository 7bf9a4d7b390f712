import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { persistentVolumeClaim } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume } from '../../api/core/v1/persistent-volume.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { PersistentVolumeSpec } from '../../api/core/v1/types.gen.ts'
import { csiDriver } from '../../api/storage/v1/csi-driver.ts'
import { volumeAttachment } from '../../api/storage/v1/volume-attachment.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { MANAGED } from './volumes.ts'

const DRIVER = 'csi.example.com'
const UNIQUE = `kubernetes.io/csi/${DRIVER}^disk`
const at = (name: string) => ({ namespace: NAMESPACE, name })

async function start(accessMode: 'ReadWriteOnce' | 'ReadWriteMany' = 'ReadWriteOnce'): Promise<TestCluster> {
  const cluster = await startCluster({ only: ['persistentvolume-attach-detach-controller'], hollow: { nodes: 0 } })
  const { client } = cluster
  for (const name of ['a', 'b']) {
    const made = await client.create(nodeKind, { metadata: { name, annotations: { [MANAGED]: 'true' } } })
    await client.update(
      nodeKind,
      { ...made, status: { ...made.status, conditions: [{ type: 'Ready', status: 'True' }] } },
      { subresource: 'status' },
    )
  }
  const spec: Partial<PersistentVolumeSpec> = {
    ...{ capacity: { storage: '1Gi' }, accessModes: [accessMode], csi: { driver: DRIVER, volumeHandle: 'disk' } },
    claimRef: at('data'),
  }
  await client.create(persistentVolume, { metadata: { name: 'pv' }, spec })
  await client.create(persistentVolumeClaim, {
    metadata: at('data'),
    spec: { accessModes: [accessMode], resources: { requests: { storage: '1Gi' } }, volumeName: 'pv' },
  })
  return cluster
}

async function run(cluster: TestCluster, name: string, nodeName: string): Promise<void> {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
  await cluster.client.create(podKind, { metadata: at(name), spec: { nodeName, containers: [{ name: 'app', image: 'app:1' }], volumes } })
  await cluster.quiet()
}
const stop = async (cluster: TestCluster, name: string) => {
  await cluster.client.delete(podKind, at(name), { gracePeriodSeconds: 0 })
  await cluster.quiet()
}
const attachments = async ({ client }: TestCluster) => (await client.list(volumeAttachment)).items
const where = async (cluster: TestCluster) => (await attachments(cluster)).map(({ spec }) => spec.nodeName).toSorted()
const told = async ({ client }: TestCluster, name: string) => (await client.get(nodeKind, { name })).status.volumesAttached

/** As the driver's attacher does it. */
async function carryOut(cluster: TestCluster, status: object): Promise<void> {
  for (const { metadata } of await attachments(cluster)) {
    await cluster.client.patch(volumeAttachment, metadata, { type: 'merge', body: { status } }, { subresource: 'status' })
  }
  await cluster.quiet()
}
/** As a kubelet does it. */
async function mount(cluster: TestCluster, name: string, ...volumesInUse: string[]): Promise<void> {
  await cluster.client.patch(nodeKind, { name }, { type: 'merge', body: { status: { volumesInUse } } }, { subresource: 'status' })
  await cluster.quiet()
}

describe('a volume that must be attached', () => {
  it('is, where a pod uses it, and the node is told when it is there', async () => {
    await using cluster = await start()
    await run(cluster, 'web', 'a')
    const [made] = await attachments(cluster)
    expect(made?.spec).toEqual({ attacher: DRIVER, nodeName: 'a', source: { persistentVolumeName: 'pv' } })
    expect(made?.metadata.name).toMatch(/^csi-[0-9a-f]{64}$/)
    expect(await told(cluster, 'a')).toBeUndefined()
    await carryOut(cluster, { attached: true })
    expect(await told(cluster, 'a')).toEqual([{ name: UNIQUE, devicePath: '' }])
    expect(await cluster.events('web')).toEqual(['SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv" '])
    const { length } = cluster.writes
    await cluster.advance(600_000)
    expect(cluster.writes).toHaveLength(length)
  })

  it('is detached when it is not in use any more, and not before', async () => {
    await using cluster = await start()
    await run(cluster, 'web', 'a')
    await carryOut(cluster, { attached: true })
    await mount(cluster, 'a', UNIQUE)
    await stop(cluster, 'web')
    await cluster.advance(600_000)
    expect(await where(cluster)).toEqual(['a'])
    await mount(cluster, 'a')
    expect(await where(cluster)).toEqual([])
    expect(await told(cluster, 'a')).toBeUndefined()
  })

  it('is at one node only, if it can be, and goes to the next one after', async () => {
    await using cluster = await start()
    await run(cluster, 'first', 'a')
    await run(cluster, 'second', 'b')
    expect(await where(cluster)).toEqual(['a'])
    expect(await cluster.events('second')).toEqual([
      'FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already used by pod(s) first',
    ])
    await stop(cluster, 'first')
    expect(await where(cluster)).toEqual(['b'])
  })

  it('is at several nodes, if it can be', async () => {
    await using cluster = await start('ReadWriteMany')
    await run(cluster, 'first', 'a')
    await run(cluster, 'second', 'b')
    expect(await where(cluster)).toEqual(['a', 'b'])
  })

  it('is taken from a node that does not answer after six minutes, and at once from one that is out of service', async () => {
    await using cluster = await start()
    const { client } = cluster
    await run(cluster, 'web', 'a')
    await mount(cluster, 'a', UNIQUE)
    const body = { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
    await client.patch(nodeKind, { name: 'a' }, { type: 'merge', body }, { subresource: 'status' })
    await stop(cluster, 'web')
    await cluster.advance(5 * 60_000)
    expect(await where(cluster)).toEqual(['a'])
    await cluster.advance(61_000)
    expect(await where(cluster)).toEqual([])

    await run(cluster, 'again', 'a')
    expect(await where(cluster)).toEqual(['a'])
    await client.patch(
      nodeKind,
      { name: 'a' },
      { type: 'merge', body: { spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] } } },
    )
    await stop(cluster, 'again')
    expect(await where(cluster)).toEqual([])
  })

  it('says why it cannot be', async () => {
    await using cluster = await start()
    await run(cluster, 'web', 'a')
    await carryOut(cluster, { attached: false, attachError: { message: 'no such disk' } })
    expect(await cluster.events('web')).toEqual(['FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : no such disk'])
  })

  it.each(['its driver does not want it', 'its node does it by itself'])('is not, where %s', async (why) => {
    await using cluster = await start()
    if (why.includes('driver')) await cluster.client.create(csiDriver, { metadata: { name: DRIVER }, spec: { attachRequired: false } })
    else await cluster.client.patch(nodeKind, { name: 'a' }, { type: 'merge', body: { metadata: { annotations: { [MANAGED]: null } } } })
    await cluster.quiet()
    await run(cluster, 'web', 'a')
    expect(await where(cluster)).toEqual([])
  })
})
