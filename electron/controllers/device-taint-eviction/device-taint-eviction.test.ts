import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { resourceClaim } from '../../api/resource/v1/resource-claim.ts'
import { resourceSlice } from '../../api/resource/v1/resource-slice.ts'
import type { DeviceTaint, DeviceToleration } from '../../api/resource/v1/types.gen.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const DRIVER = 'gpu.example.com'
const at = (name: string) => ({ namespace: NAMESPACE, name })
const BROKEN: DeviceTaint = { key: 'broken', value: 'yes', effect: 'NoExecute' }

async function start(): Promise<TestCluster> {
  const cluster = await startCluster({ only: ['device-taint-eviction-controller'], hollow: { nodes: 0 } })
  await cluster.client.create(resourceSlice, {
    metadata: { name: 'gpus' },
    spec: {
      ...{ driver: DRIVER, nodeName: 'node-0', pool: { name: 'node-0', generation: 1, resourceSliceCount: 1 } },
      devices: [{ name: 'gpu-0' }, { name: 'gpu-1' }],
    },
  })
  return cluster
}

/** A pod on a node that has a device. */
async function run({ client }: TestCluster, name: string, device: string, tolerations: DeviceToleration[] = []): Promise<void> {
  const requests = [{ name: 'gpu', exactly: { deviceClassName: 'gpu', tolerations } }]
  const claim = await client.create(resourceClaim, { metadata: at(name), spec: { devices: { requests } } })
  const { metadata } = await client.create(podKind, {
    metadata: at(name),
    spec: { nodeName: 'node-0', containers: [{ name: 'app', image: 'app:1' }], resourceClaims: [{ name: 'gpu', resourceClaimName: name }] },
  })
  const results = [{ request: 'gpu', driver: DRIVER, pool: 'node-0', device, ...(tolerations.length > 0 ? { tolerations } : {}) }]
  const reservedFor = [{ resource: 'pods', name, uid: metadata.uid }]
  await client.update(resourceClaim, { ...claim, status: { allocation: { devices: { results } }, reservedFor } }, { subresource: 'status' })
}

async function taint({ client }: TestCluster, ...taints: DeviceTaint[]): Promise<void> {
  const slice = await client.get(resourceSlice, { name: 'gpus' })
  const devices = [{ name: 'gpu-0', taints }, { name: 'gpu-1' }]
  await client.update(resourceSlice, { ...slice, spec: { ...slice.spec, devices } })
}

const staying = async ({ client }: TestCluster) =>
  (await client.list(podKind, { namespace: NAMESPACE })).items.flatMap(({ metadata }) => (metadata.deletionTimestamp ? [] : metadata.name))

describe('a device that must not be used any more', () => {
  it('costs the pods that use it, and no others', async () => {
    await using cluster = await start()
    await run(cluster, 'on-0', 'gpu-0')
    await run(cluster, 'on-1', 'gpu-1')
    await cluster.quiet()
    await taint(cluster, { ...BROKEN, effect: 'NoSchedule' })
    await cluster.quiet()
    expect(await staying(cluster)).toEqual(['on-0', 'on-1'])
    await taint(cluster, BROKEN)
    await cluster.quiet()
    expect(await staying(cluster)).toEqual(['on-1'])
    expect(await cluster.events('on-0')).toEqual(['DeviceTaintManagerEviction: Marking for deletion'])
    const { status } = await cluster.client.get(podKind, at('on-0'))
    expect(status.conditions).toMatchObject([{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByDeviceTaintManager' }])
  })

  it('is borne as long as the claim says, from when it was first told', async () => {
    await using cluster = await start()
    const bearing = (tolerationSeconds?: number): DeviceToleration[] => [
      { key: 'broken', operator: 'Exists', ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) },
    ]
    await run(cluster, 'minute', 'gpu-0', bearing(60))
    await run(cluster, 'ever', 'gpu-0', bearing())
    await taint(cluster, BROKEN)
    await cluster.advance(50_000)
    expect(await staying(cluster)).toEqual(['ever', 'minute'])
    await cluster.advance(15_000)
    expect(await staying(cluster)).toEqual(['ever'])
  })

  it('that is well again in time costs nobody', async () => {
    await using cluster = await start()
    await run(cluster, 'minute', 'gpu-0', [{ operator: 'Exists', tolerationSeconds: 60 }])
    await taint(cluster, BROKEN)
    await cluster.advance(30_000)
    await taint(cluster)
    await cluster.advance(120_000)
    expect(await staying(cluster)).toEqual(['minute'])
  })
})
