import { describe, expect, it } from 'vitest'
import { settle } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/logger.ts'
import { pod as podKind } from '../../../api/core/v1/pod.ts'
import type { Pod, PodStatus } from '../../../api/core/v1/types.gen.ts'
import { startTestServer } from '../../../apiserver/testing/harness.ts'
import type { Client } from '../../../client/client.ts'
import { unavailable } from '../../../machinery/status.ts'
import { StatusManager } from './status-manager.ts'
import { statusPatch } from './status-patch.ts'

const at = { namespace: 'default', name: 'web' }

async function open() {
  const server = await startTestServer()
  const created = await server.client.create(podKind, {
    metadata: at,
    spec: { containers: [{ name: 'main', image: 'x' }], nodeName: 'moth' },
  })
  const faults: Error[] = []
  const patches: unknown[] = []
  const client: Pick<Client, 'get' | 'patch' | 'delete'> = {
    get: (...args) => server.client.get(...args),
    delete: (...args) => server.client.delete(...args),
    patch: async (...args) => {
      patches.push(args[2].body)
      const fault = faults.shift()
      if (fault) throw fault
      return server.client.patch(...args)
    },
  }
  const manager = new StatusManager({ client, clock: server.clock, logger: silentLogger })
  return { server, created, faults, patches, manager, read: () => server.client.get(podKind, at), clock: server.clock }
}

const running = (more: Partial<PodStatus> = {}): PodStatus => ({
  phase: 'Running',
  podIPs: [{ ip: '10.0.0.5' }],
  podIP: '10.0.0.5',
  qosClass: 'BestEffort',
  ...more,
})

describe('StatusManager', () => {
  it('sends what changed, leaves what others wrote, and takes reasons away that no longer hold', async () => {
    const { manager, server, created, read } = await open()
    manager.observe(created)
    manager.set(created, running({ conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' }] }))
    await settle()
    const foreign = { status: { conditions: [{ type: 'example.org/x', status: 'True' }] } }
    await server.client.patch(podKind, at, { type: 'strategic', body: foreign }, { subresource: 'status' })
    manager.set(created, running({ conditions: [{ type: 'Ready', status: 'True' }] }))
    await settle()
    const { status } = await read()
    expect(status.phase).toBe('Running')
    expect(status.conditions?.toSorted((a, b) => (a.type < b.type ? -1 : 1))).toEqual([
      { type: 'Ready', status: 'True' },
      { type: 'example.org/x', status: 'True' },
    ])
    await server.stop()
  })

  it('waits until the API server has shown the pod: what is on disk may be old', async () => {
    const { manager, server, created, patches } = await open()
    manager.set(created, running())
    await settle()
    expect(patches).toEqual([])
    manager.observe(created)
    await settle()
    expect(patches).toHaveLength(1)
    await server.stop()
  })

  it('tries again while the API server is away, then sends only the last', async () => {
    const { manager, server, created, faults, patches, read, clock } = await open()
    faults.push(unavailable('away'), unavailable('away'))
    manager.observe(created)
    manager.set(created, running({ message: 'first' }))
    await settle()
    manager.set(created, running({ message: 'second' }))
    await clock.advance(500)
    await clock.advance(1000)
    expect(patches.map((body) => (body as { status: PodStatus }).status.message)).toEqual(['first', 'second', 'second'])
    expect((await read()).status.message).toBe('second')
    await server.stop()
  })

  it('does not bring back to life what has ended', async () => {
    const { manager, server, created, read } = await open()
    manager.observe(created)
    manager.set(created, { phase: 'Failed' })
    manager.set(created, running())
    await settle()
    expect((await read()).status.phase).toBe('Failed')
    await server.stop()
  })

  it('removes a deleted pod once its node is done with it, and not another one of its name', async () => {
    const { manager, server, created, read } = await open()
    manager.observe(created)
    const deleted = (await server.client.delete(podKind, at)) as Pod
    expect(deleted.metadata.deletionTimestamp).toBeDefined()
    manager.observe(deleted)
    await settle()
    expect((await read()).metadata.uid).toBe(created.metadata.uid)
    manager.release(deleted, { phase: 'Failed' })
    await settle()
    await expect(read()).rejects.toMatchObject({ reason: 'NotFound' })
    const next = await server.client.create(podKind, { metadata: at, spec: { containers: [{ name: 'main', image: 'x' }] } })
    manager.release(deleted, { phase: 'Failed', message: 'again' })
    await settle()
    expect((await read()).metadata.uid).toBe(next.metadata.uid)
    await server.stop()
  })

  it('writes again what somebody overwrote', async () => {
    const { manager, server, created, read } = await open()
    manager.observe(created)
    manager.set(created, running())
    await settle()
    const spoiled = await server.client.patch(
      podKind,
      at,
      { type: 'merge', body: { status: { phase: 'Pending' } } },
      { subresource: 'status' },
    )
    manager.observe(spoiled)
    await settle()
    expect((await read()).status.phase).toBe('Running')
    await server.stop()
  })
})

describe('statusPatch', () => {
  it('is nothing between equals, removes what is gone, and replaces addresses as a whole', () => {
    expect(statusPatch(running(), running())).toBeNull()
    expect(statusPatch(running({ message: 'x' }), running())).toEqual({ message: null })
    expect(statusPatch(running(), running({ podIPs: [{ ip: '10.0.0.6' }] }))).toEqual({
      podIPs: [{ ip: '10.0.0.6' }, { $patch: 'replace' }],
    })
    const resizing = running({
      conditions: [
        { type: 'PodResizePending', status: 'True' },
        { type: 'other', status: 'True' },
      ],
    })
    expect(statusPatch(resizing, running())).toEqual({ conditions: [{ type: 'PodResizePending', $patch: 'delete' }] })
  })
})
