import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Client } from '../../client/client.ts'
import { failure } from '../../machinery/status.ts'
import { definePlugin, type Handle, type PluginDescriptor } from '../framework/descriptor.ts'
import { unschedulable } from '../framework/status.ts'
import { PLUGINS } from '../plugins/list.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'
import { forwardingClient } from '../testing/forwarding-client.ts'
import { NAMESPACE } from '../testing/objects.ts'

/** Lets `bind` decide about each binding. */
function binding(bind: (make: () => Promise<unknown>) => Promise<unknown>): (client: Client) => Client {
  return (client) =>
    forwardingClient(client, {
      create: (kind, object, options) => {
        const make = () => client.create(kind, object, options)
        return (options?.subresource === 'binding' ? bind(make) : make()) as ReturnType<typeof make>
      },
    })
}

const lastAttempt = (cluster: TestCluster, name: string) => cluster.scheduler.explain(NAMESPACE, name)?.lastAttempt

describe('a binding', () => {
  it('that the server refuses is tried again after a back-off, and its place is free meanwhile', async () => {
    let faults = 1
    const wrap = binding((make) => (faults-- > 0 ? Promise.reject(failure(500, 'InternalError', 'disk on fire')) : make()))
    await using cluster = await startCluster({ wrap })
    await cluster.addNode('only', { cpu: '2' })
    await cluster.addPod('web', { requests: { cpu: '2' } })
    await cluster.quiet()
    expect(await cluster.scheduled('web')).toMatchObject({ reason: 'SchedulerError', message: expect.stringContaining('disk on fire') })
    expect(await cluster.events('web')).toContainEqual(
      expect.stringContaining('Warning FailedScheduling: running Bind plugin "DefaultBinder"'),
    )
    await cluster.advance(999)
    expect(await cluster.nodeOf('web')).toBe('')
    await cluster.advance(1)
    expect(await cluster.nodeOf('web')).toBe('only')
    expect(await cluster.scheduled('web')).toMatchObject({ status: 'True' })
  })

  it('that was accepted although it seemed to fail is not made twice', async () => {
    const wrap = binding((make) => make().then(() => Promise.reject(failure(504, 'Timeout', 'no answer'))))
    await using cluster = await startCluster({ wrap })
    await cluster.addNode('only')
    await cluster.addPod('web')
    await cluster.advance(30_000)
    expect(await cluster.nodeOf('web')).toBe('only')
    expect(cluster.scheduler.explain(NAMESPACE, 'web')).toBeUndefined()
  })

  it('under way counts: the place is not given away twice', async () => {
    const held: (() => void)[] = []
    const wrap = binding((make) => new Promise<void>((resolve) => held.push(resolve)).then(make))
    await using cluster = await startCluster({ wrap })
    await cluster.addNode('only', { cpu: '2' })
    await cluster.addPod('first', { requests: { cpu: '2' } })
    await cluster.quiet()
    await cluster.addPod('second', { requests: { cpu: '2' } })
    await cluster.quiet()
    expect(await cluster.scheduled('second')).toMatchObject({ reason: 'Unschedulable' })
    expect(held).toHaveLength(1)
    for (const release of held) release()
    await cluster.quiet()
    expect([await cluster.nodeOf('first'), await cluster.nodeOf('second')]).toEqual(['only', ''])
  })

  it('of a pod that is deleted meanwhile frees its place for others', async () => {
    const held: (() => void)[] = []
    const wrap = binding((make) => new Promise<void>((resolve) => held.push(resolve)).then(make))
    await using cluster = await startCluster({ wrap })
    await cluster.addNode('only', { cpu: '2' })
    await cluster.addPod('first', { requests: { cpu: '2' } })
    await cluster.addPod('second', { requests: { cpu: '2' } })
    await cluster.quiet()
    await cluster.client.delete(podKind, { namespace: NAMESPACE, name: 'first' }, { gracePeriodSeconds: 0 })
    held.shift()?.()
    await cluster.advance(2000)
    held.shift()?.()
    await cluster.quiet()
    expect(await cluster.nodeOf('second')).toBe('only')
  })
})

describe('Permit and Reserve', () => {
  const withPlugin = (plugin: PluginDescriptor) => startCluster({ profiles: [{ plugins: [...PLUGINS, plugin] }] })

  it('hold a placed pod until the plugin gives leave', async () => {
    let handle: Handle | null = null
    const gang = definePlugin({
      name: 'Gang',
      defaults: {},
      create(_args, given) {
        handle = given
        return { name: 'Gang', permit: () => ({ status: { code: 'Wait', reasons: [], plugin: 'Gang' }, timeout: 60_000 }) }
      },
    })
    await using cluster = await withPlugin(gang)
    await cluster.addNode('only')
    const { metadata } = await cluster.addPod('web')
    await cluster.quiet()
    expect([await cluster.nodeOf('web'), lastAttempt(cluster, 'web')]).toMatchObject(['', { outcome: 'placed', node: 'only' }])
    const given = handle as Handle | null
    expect(given?.allowWaiting(metadata.uid, 'Gang')).toBe(true)
    await cluster.quiet()
    expect(await cluster.nodeOf('web')).toBe('only')
  })

  it('give the place back when the plugin waits too long, and say why', async () => {
    const gang = definePlugin({
      name: 'Gang',
      defaults: {},
      create: () => ({ name: 'Gang', permit: () => ({ status: { code: 'Wait', reasons: [], plugin: 'Gang' }, timeout: 5000 }) }),
    })
    await using cluster = await withPlugin(gang)
    await cluster.addNode('only')
    await cluster.addPod('web')
    await cluster.quiet()
    await cluster.advance(5000)
    expect(await cluster.scheduled('web')).toMatchObject({
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 rejected due to timeout after waiting 5000 ms at plugin Gang.',
    })
  })

  it('undo what was reserved when one of them refuses', async () => {
    const calls: string[] = []
    const stingy = definePlugin({
      name: 'Stingy',
      defaults: {},
      create: () => ({
        name: 'Stingy',
        reserve: (_cycle, _pod, node) => (calls.push(`reserve ${node}`), unschedulable('Stingy', ['none left'])),
        unreserve: (_cycle, _pod, node) => void calls.push(`unreserve ${node}`),
      }),
    })
    await using cluster = await withPlugin(stingy)
    await cluster.addNode('only')
    await cluster.addPod('web')
    await cluster.quiet()
    expect(calls).toEqual(['reserve only', 'unreserve only'])
    expect(lastAttempt(cluster, 'web')).toMatchObject({ outcome: 'failed', node: 'only', message: '0/1 nodes are available: 1 none left.' })
  })
})
