/** Devices from their publication to pods that have them, with all controllers, the scheduler and simulated nodes and drivers. */
import { describe, expect, it } from 'vitest'
import { deployment as deploymentKind } from '../../electron/api/apps/v1/deployment.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { deviceClass } from '../../electron/api/resource/v1/device-class.ts'
import { resourceClaimTemplate } from '../../electron/api/resource/v1/resource-claim-template.ts'
import { resourceClaim } from '../../electron/api/resource/v1/resource-claim.ts'
import { resourceSlice } from '../../electron/api/resource/v1/resource-slice.ts'
import type { Device, DeviceClaim } from '../../electron/api/resource/v1/types.gen.ts'
import { randomInt, seededRandom } from '../../electron/base/random.ts'
import { NAMESPACE, startWorld, type World } from '../properties/world.ts'

const DRIVER = 'gpu.example.com'
const NODES = ['node-0', 'node-1', 'node-2']
const PER_NODE = 2
const at = (name: string) => ({ namespace: NAMESPACE, name })
const asking = (count = 1): DeviceClaim => ({
  requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count } }],
})

/** What a driver on a node publishes. */
async function publish({ client }: World, node: string, devices: Device[]): Promise<void> {
  const spec = { driver: DRIVER, nodeName: node, pool: { name: node, generation: 1, resourceSliceCount: 1 }, devices }
  await client.create(resourceSlice, { metadata: { name: `${node}-gpus` }, spec })
}

async function start(seed = 1): Promise<World> {
  const world = await startWorld(NODES, () => ({}), seed)
  const expression = `device.driver == "${DRIVER}"`
  await world.client.create(deviceClass, { metadata: { name: 'gpu' }, spec: { selectors: [{ cel: { expression } }] } })
  const devices = Array.from({ length: PER_NODE }, (_, i): Device => ({ name: `gpu-${i}` }))
  for (const node of NODES) await publish(world, node, devices)
  await world.client.create(resourceClaimTemplate, { metadata: at('one-gpu'), spec: { metadata: {}, spec: { devices: asking() } } })
  return world
}

const podDraft = (name: string, claim: NonNullable<Pod['spec']['resourceClaims']>[number], spec: Draft<Pod['spec']> = {}): Draft<Pod> => ({
  metadata: at(name),
  spec: { containers: [{ name: 'app', image: 'app:1', resources: { claims: [{ name: claim.name }] } }], resourceClaims: [claim], ...spec },
})
const fromTemplate = { name: 'gpu', resourceClaimTemplateName: 'one-gpu' }
const pods = async ({ client }: World) => (await client.list(podKind, { namespace: NAMESPACE })).items
const claims = async ({ client }: World) => (await client.list(resourceClaim, { namespace: NAMESPACE })).items
const settle = async (world: World, seconds = 30) => {
  for (let i = 0; i < seconds; i++) await world.advance(1000)
}

/** Each device is some claim's, once, and where the pods are that use it. */
async function assertSound(world: World): Promise<void> {
  const byUid = new Map((await pods(world)).map((pod) => [pod.metadata.uid, pod]))
  const held = new Set<string>()
  for (const { metadata, status } of await claims(world)) {
    for (const { driver, pool, device } of status.allocation?.devices.results ?? []) {
      const id = `${driver}/${pool}/${device}`
      expect(held.has(id), `${id} is had twice, at last by ${metadata.name}`).toBe(false)
      held.add(id)
      for (const { uid } of status.reservedFor ?? []) expect(byUid.get(uid)?.spec.nodeName ?? pool).toBe(pool)
    }
  }
}

describe('devices', () => {
  it('go to pods from their template to the last one there is, and to the next pod when one ends', async () => {
    await using world = await start()
    const labels = { app: 'train' }
    const { spec } = podDraft('', fromTemplate)
    await world.client.create(deploymentKind, {
      metadata: at('train'),
      spec: { replicas: 7, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: spec ?? {} } },
    })
    await settle(world)
    await assertSound(world)
    const placed = (await pods(world)).filter(({ status }) => status.phase === 'Running')
    expect(placed).toHaveLength(NODES.length * PER_NODE)
    const waiting = (await pods(world)).find(({ status }) => status.phase === 'Pending')
    expect(waiting?.status.conditions?.find(({ type }) => type === 'PodScheduled')?.message).toContain('3 cannot allocate all claims')
    const [first] = placed
    await world.client.delete(podKind, first?.metadata ?? { name: '' })
    await settle(world, 60)
    await assertSound(world)
    expect((await pods(world)).filter(({ status }) => status.phase === 'Running')).toHaveLength(NODES.length * PER_NODE)
    expect(world.errors).toEqual([])
  })

  it('of a claim that pods share keep them together', async () => {
    await using world = await start()
    await world.client.create(resourceClaim, { metadata: at('shared'), spec: { devices: asking() } })
    for (const name of ['one', 'two', 'three'])
      await world.client.create(podKind, podDraft(name, { name: 'gpu', resourceClaimName: 'shared' }))
    await settle(world)
    const [claim] = await claims(world)
    expect(claim?.status.reservedFor).toHaveLength(3)
    const pool = claim?.status.allocation?.devices.results?.[0]?.pool
    expect((await pods(world)).map(({ spec }) => spec.nodeName)).toEqual([pool, pool, pool])
  })

  it('that a claim has without use are given back when its pod must go elsewhere', async () => {
    await using world = await start()
    await world.client.create(resourceClaim, { metadata: at('left'), spec: { devices: asking() } })
    await world.client.create(
      podKind,
      podDraft('first', { name: 'gpu', resourceClaimName: 'left' }, { nodeSelector: { 'kubernetes.io/hostname': 'node-0' } }),
    )
    await settle(world)
    const [claim] = await claims(world)
    if (!claim) throw new Error('the claim is gone')
    // As though somebody had taken the user out, and left the devices.
    await world.client.delete(podKind, at('first'), { gracePeriodSeconds: 0 })
    await settle(world, 5)
    const { allocation } = claim.status
    const now = await world.client.get(resourceClaim, at('left'))
    await world.client.update(resourceClaim, { ...now, status: allocation ? { allocation } : {} }, { subresource: 'status' })
    const draft = podDraft('second', { name: 'gpu', resourceClaimName: 'left' }, { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } })
    await world.client.create(podKind, draft)
    await settle(world, 60)
    expect((await world.client.get(podKind, at('second'))).spec.nodeName).toBe('node-1')
    await assertSound(world)
  })

  it('come to a pod that waits for their class, their driver or its own claim', async () => {
    await using world = await start()
    await world.client.create(podKind, podDraft('early', { name: 'npu', resourceClaimName: 'npu' }))
    const message = async () =>
      (await world.client.get(podKind, at('early'))).status.conditions?.find(({ type }) => type === 'PodScheduled')?.message
    await settle(world, 3)
    expect(await message()).toContain('resourceclaim.resource.k8s.io "npu" not found')
    const requests = [{ name: 'npu', exactly: { deviceClassName: 'npu', allocationMode: 'ExactCount' as const, count: 1 } }]
    await world.client.create(resourceClaim, { metadata: at('npu'), spec: { devices: { requests } } })
    await settle(world, 20)
    expect(await message()).toContain('request npu: device class npu does not exist')
    const expression = 'device.driver == "npu.example.com"'
    await world.client.create(deviceClass, { metadata: { name: 'npu' }, spec: { selectors: [{ cel: { expression } }] } })
    await settle(world, 20)
    expect(await message()).toContain('3 cannot allocate all claims')
    const spec = { driver: 'npu.example.com', allNodes: true, pool: { name: 'net', generation: 1, resourceSliceCount: 1 } }
    await world.client.create(resourceSlice, { metadata: { name: 'npus' }, spec: { ...spec, devices: [{ name: 'npu-0' }] } })
    await settle(world, 20)
    expect((await world.client.get(podKind, at('early'))).status.phase).toBe('Running')
  })

  it('are asked for with access to what others have only where the namespace allows it', async () => {
    await using world = await start()
    const devices: DeviceClaim = {
      requests: [{ name: 'all', exactly: { deviceClassName: 'gpu', allocationMode: 'All', adminAccess: true } }],
    }
    await expect(world.client.create(resourceClaim, { metadata: at('monitor'), spec: { devices } })).rejects.toThrow(
      'admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
    )
    const body = { metadata: { labels: { 'resource.kubernetes.io/admin-access': 'true' } } }
    await world.client.patch(namespaceKind, { name: NAMESPACE }, { type: 'merge', body })
    await world.client.create(resourceClaim, { metadata: at('monitor'), spec: { devices } })
    await world.client.create(podKind, podDraft('user', fromTemplate))
    await settle(world)
    await world.client.create(podKind, podDraft('watcher', { name: 'gpu', resourceClaimName: 'monitor' }))
    await settle(world)
    expect((await pods(world)).map(({ status }) => status.phase)).toEqual(['Running', 'Running'])
  })

  it.each([11, 12, 13])('are never had twice, whatever comes and goes, and all are free in the end (seed %i)', async (seed) => {
    await using world = await start(seed)
    const random = seededRandom(seed)
    let made = 0
    for (let step = 0; step < 25; step++) {
      const there = await pods(world)
      const action = randomInt(random, 6)
      if (action < 3) {
        const name = `pod-${made++}`
        if (randomInt(random, 2) === 0) await world.client.create(podKind, podDraft(name, fromTemplate))
        else {
          await world.client.create(resourceClaim, { metadata: at(name), spec: { devices: asking(1 + randomInt(random, 2)) } })
          await world.client.create(podKind, podDraft(name, { name: 'gpu', resourceClaimName: name }))
        }
      } else if (action < 5 && there.length > 0) {
        await world.client.delete(podKind, there[randomInt(random, there.length)]?.metadata ?? { name: '' })
      } else if (action === 5) await world.crash(randomInt(random, 2) === 0 ? 'scheduler' : 'controllers')
      await world.advance(500 * randomInt(random, 6))
      await assertSound(world)
    }
    for (const { metadata } of await pods(world)) await world.client.delete(podKind, metadata)
    await settle(world, 120)
    expect((await claims(world)).filter(({ status }) => status.allocation ?? status.reservedFor)).toEqual([])
    expect(world.errors).toEqual([])
  })
})
