import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { resourceClaimTemplate as templateKind } from '../../api/resource/v1/resource-claim-template.ts'
import { resourceClaim as claimKind } from '../../api/resource/v1/resource-claim.ts'
import { CLAIM_FINALIZER } from '../../machinery/devices/pod-claims.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const at = (name: string) => ({ namespace: NAMESPACE, name })
const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] }
const allocation = { devices: { results: [{ request: 'gpu', driver: 'gpu.example.com', pool: 'node-0', device: 'gpu-0' }] } }

async function start(): Promise<TestCluster> {
  const cluster = await startCluster({ only: ['resourceclaim-controller', 'garbage-collector-controller'], hollow: { nodes: 0 } })
  await cluster.client.create(templateKind, {
    metadata: at('gpus'),
    spec: { metadata: { labels: { from: 'template' } }, spec: { devices } },
  })
  return cluster
}

const podDraft = (name: string, resourceClaims: NonNullable<Pod['spec']['resourceClaims']>): Draft<Pod> => ({
  metadata: at(name),
  spec: { containers: [{ name: 'app', image: 'app:1' }], resourceClaims },
})
const fromTemplate = [{ name: 'gpu', resourceClaimTemplateName: 'gpus' }]
const claimsOf = async ({ client }: TestCluster) => (await client.list(claimKind, { namespace: NAMESPACE })).items
const statuses = async ({ client }: TestCluster, name: string) => (await client.get(podKind, at(name))).status.resourceClaimStatuses

/** As the scheduler and an administrator write it. */
async function allocate({ client }: TestCluster, name: string, ...users: { name: string; uid: string }[]): Promise<void> {
  const found = await client.get(claimKind, at(name))
  const kept = await client.update(claimKind, { ...found, metadata: { ...found.metadata, finalizers: [CLAIM_FINALIZER] } })
  const reservedFor = users.map((user) => ({ resource: 'pods', ...user }))
  await client.update(claimKind, { ...kept, status: { allocation, reservedFor } }, { subresource: 'status' })
}

async function end({ client }: TestCluster, name: string): Promise<void> {
  await client.patch(podKind, at(name), { type: 'merge', body: { status: { phase: 'Succeeded' } } }, { subresource: 'status' })
}

describe('a pod with a claim from a template', () => {
  it('gets one of its own, and is told its name', async () => {
    await using cluster = await start()
    const made = await cluster.client.create(podKind, podDraft('web', fromTemplate))
    await cluster.quiet()
    const [claim, ...more] = await claimsOf(cluster)
    expect(more).toEqual([])
    expect(claim?.metadata).toMatchObject({
      name: expect.stringMatching(/^web-gpu-.{5}$/) as string,
      labels: { from: 'template' },
      annotations: { 'resource.kubernetes.io/pod-claim-name': 'gpu' },
      ownerReferences: [{ kind: 'Pod', name: 'web', uid: made.metadata.uid, controller: true, blockOwnerDeletion: true }],
    })
    expect(claim?.spec.devices.requests?.[0]?.exactly).toMatchObject({ deviceClassName: 'gpu', count: 1 })
    expect(await statuses(cluster, 'web')).toEqual([{ name: 'gpu', resourceClaimName: claim?.metadata.name }])
    expect(cluster.writes.filter((write) => write.startsWith('create'))).toHaveLength(1)
  })

  it('gets another when it is deleted, and waits for a template that comes late', async () => {
    await using cluster = await start()
    await cluster.client.create(podKind, podDraft('web', fromTemplate))
    await cluster.quiet()
    const [first] = await claimsOf(cluster)
    await cluster.client.delete(claimKind, at(first?.metadata.name ?? ''))
    await cluster.quiet()
    const [second] = await claimsOf(cluster)
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid)
    expect(await statuses(cluster, 'web')).toEqual([{ name: 'gpu', resourceClaimName: second?.metadata.name }])

    await cluster.client.create(podKind, podDraft('early', [{ name: 'gpu', resourceClaimTemplateName: 'later' }]))
    await cluster.quiet()
    expect(await cluster.events('early')).toContain(
      'FailedResourceClaimCreation: PodResourceClaim gpu: resource claim template "later" not found',
    )
    await cluster.client.create(templateKind, { metadata: at('later'), spec: { metadata: {}, spec: { devices } } })
    await cluster.advance(60_000)
    expect(await statuses(cluster, 'early')).toHaveLength(1)
  })

  it('has it go when it ends, and when it is deleted', async () => {
    await using cluster = await start()
    for (const name of ['ends', 'goes']) await cluster.client.create(podKind, podDraft(name, fromTemplate))
    await cluster.quiet()
    for (const { metadata } of await claimsOf(cluster)) {
      const [owner] = metadata.ownerReferences ?? []
      if (owner) await allocate(cluster, metadata.name, owner)
    }
    await cluster.quiet()
    await end(cluster, 'ends')
    await cluster.client.delete(podKind, at('goes'), { gracePeriodSeconds: 0 })
    await cluster.quiet()
    expect(await claimsOf(cluster)).toEqual([])
  })
})

describe('a claim that pods share', () => {
  it('keeps its devices until the last of them has ended, and itself', async () => {
    await using cluster = await start()
    await cluster.client.create(claimKind, { metadata: at('shared'), spec: { devices } })
    const users = []
    for (const name of ['one', 'two'])
      users.push((await cluster.client.create(podKind, podDraft(name, [{ name: 'gpu', resourceClaimName: 'shared' }]))).metadata)
    await allocate(cluster, 'shared', ...users.map(({ name, uid }) => ({ name, uid })))
    await cluster.quiet()
    const state = async () => (await cluster.client.get(claimKind, at('shared'))).status
    await end(cluster, 'one')
    await cluster.quiet()
    expect(await state()).toMatchObject({ allocation, reservedFor: [{ name: 'two' }] })
    await cluster.client.delete(podKind, at('two'), { gracePeriodSeconds: 0 })
    await cluster.quiet()
    expect(await state()).toEqual({})
    expect((await cluster.client.get(claimKind, at('shared'))).metadata.finalizers).toBeUndefined()
  })

  it('that is deleted waits for them', async () => {
    await using cluster = await start()
    await cluster.client.create(claimKind, { metadata: at('shared'), spec: { devices } })
    const { metadata } = await cluster.client.create(podKind, podDraft('one', [{ name: 'gpu', resourceClaimName: 'shared' }]))
    await allocate(cluster, 'shared', { name: 'one', uid: metadata.uid })
    await cluster.client.delete(claimKind, at('shared'))
    await cluster.quiet()
    expect(await claimsOf(cluster)).toHaveLength(1)
    await end(cluster, 'one')
    await cluster.quiet()
    expect(await claimsOf(cluster)).toEqual([])
  })

  it('is entered for pods that were put on a node by hand', async () => {
    await using cluster = await start()
    await cluster.client.create(claimKind, { metadata: at('shared'), spec: { devices } })
    await allocate(cluster, 'shared', { name: 'other', uid: 'gone' })
    const draft = podDraft('placed', [{ name: 'gpu', resourceClaimName: 'shared' }])
    await cluster.client.create(podKind, { ...draft, spec: { ...draft.spec, nodeName: 'node-0' } })
    await cluster.quiet()
    await allocate(cluster, 'shared')
    await cluster.quiet()
    expect((await cluster.client.get(claimKind, at('shared'))).status.reservedFor).toMatchObject([{ resource: 'pods', name: 'placed' }])
  })
})
