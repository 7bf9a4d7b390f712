import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { createApiServer } from '../../apiserver/apiserver.ts'
import { createAuthorization } from '../../apiserver/authz/authorization.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { Kind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Client, WatchOptions } from '../../client/client.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import { createScheduler } from '../scheduler.ts'
import { startCluster } from '../testing/cluster.ts'
import { forwardingClient } from '../testing/forwarding-client.ts'
import { NAMESPACE, podDraft } from '../testing/objects.ts'

const at = (name: string) => ({ namespace: NAMESPACE, name })

describe('the scheduler', () => {
  it('counts pods that others bound, from the start and later', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('only', { cpu: '2' })
    await cluster.addPod('early', { requests: { cpu: '1' }, spec: { nodeName: 'only' } })
    await cluster.quiet()
    await cluster.addPod('foreign', { requests: { cpu: '1' }, spec: { nodeName: 'only' } })
    await cluster.quiet()
    await cluster.addPod('web', { requests: { cpu: '1' } })
    await cluster.quiet()
    expect(await cluster.nodeOf('web')).toBe('')
  })

  it('takes the place of a pod that has ended for free', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('only', { cpu: '1' })
    await cluster.addPod('job', { requests: { cpu: '1' } })
    await cluster.quiet()
    await cluster.addPod('next', { requests: { cpu: '1' } })
    await cluster.quiet()
    expect(await cluster.nodeOf('next')).toBe('')
    const ended = { type: 'merge', body: { status: { phase: 'Succeeded' } } } as const
    await cluster.client.patch(podKind, at('job'), ended, { subresource: 'status' })
    await cluster.advance(1000)
    expect(await cluster.nodeOf('next')).toBe('only')
  })

  it('gives what a pod was promised to another when that pod is deleted', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('only', { cpu: '1' })
    await cluster.addPod('promised', { requests: { cpu: '1' }, spec: { schedulingGates: [{ name: 'example.com/later' }] } })
    const promise = { type: 'merge', body: { status: { nominatedNodeName: 'only' } } } as const
    await cluster.client.patch(podKind, at('promised'), promise, { subresource: 'status' })
    await cluster.quiet()
    await cluster.addPod('web', { requests: { cpu: '1' } })
    await cluster.quiet()
    expect(await cluster.nodeOf('web')).toBe('')
    await cluster.client.delete(podKind, at('promised'), { gracePeriodSeconds: 0 })
    await cluster.advance(1000)
    expect(await cluster.nodeOf('web')).toBe('only')
  })

  it('does not mistake a new pod for an old one of its name', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('only', { cpu: '1' })
    await cluster.addPod('web', { requests: { cpu: '2' } })
    await cluster.quiet()
    await cluster.client.delete(podKind, at('web'), { gracePeriodSeconds: 0 })
    await cluster.addPod('web', { requests: { cpu: '1' } })
    await cluster.quiet()
    expect(await cluster.nodeOf('web')).toBe('only')
  })

  it('asks the server what became of a binding that no informer tells of', async () => {
    const wrap = (client: Client): Client =>
      forwardingClient(client, {
        async *watch<T extends KubeObject>(kind: Kind<T>, options?: WatchOptions) {
          for await (const event of client.watch(kind, options)) if (!isBoundPod(event.object)) yield event
        },
      })
    await using cluster = await startCluster({ wrap })
    await cluster.addNode('only', { cpu: '1' })
    await cluster.addPod('web', { requests: { cpu: '1' } })
    await cluster.addPod('next', { requests: { cpu: '1' } })
    await cluster.quiet()
    expect([await cluster.nodeOf('web'), await cluster.nodeOf('next')]).toEqual(['only', ''])
    await cluster.client.delete(podKind, at('web'), { gracePeriodSeconds: 0 })
    await cluster.advance(20_000)
    expect(await cluster.nodeOf('next')).toBe('')
    await cluster.advance(20_000)
    expect(await cluster.nodeOf('next')).toBe('only')
  })

  it('needs no more rights than Kubernetes gives to its scheduler', async () => {
    const clock = new FakeClock()
    const random = seededRandom(1)
    await using store = createMemoryStore({ clock, random })
    await using server = createApiServer({ store, clock, random, logger: silentLogger, admission: { disabled: ['ServiceAccount'] } })
    const admin = server.clientFor({ name: 'root', groups: ['system:masters'] })
    await using authz = createAuthorization({ client: admin, clock, logger: silentLogger })
    server.use({ authorize: authz.authorize, checks: authz.checks })
    await server.start()
    await authz.start()
    await admin.create(namespaceKind, { metadata: { name: NAMESPACE } })
    const complaints: unknown[] = []
    const complain = (message: string, fields?: unknown) => void complaints.push([message, fields])
    const logger = { ...silentLogger, warn: complain, error: complain }
    const client = server.clientFor({ name: 'system:kube-scheduler', groups: ['system:authenticated'] })
    await using scheduler = createScheduler({ client, clock, random, logger: { ...logger, child: () => logger } })
    await scheduler.start()
    await admin.create(podKind, podDraft('web'))
    await settle(60)
    expect((await admin.get(podKind, at('web'))).status.conditions).toMatchObject([{ reason: 'Unschedulable' }])
    expect(complaints).toEqual([])
  })
})

function isBoundPod(object: object): boolean {
  const { kind, spec } = object as { kind?: string; spec?: { nodeName?: string } }
  return kind === 'Pod' && Boolean(spec?.nodeName)
}
