import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../base/clock.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger as logger } from '../../../base/logger.ts'
import { seededRandom } from '../../../base/random.ts'
import { namespace as namespaceKind } from '../../../api/core/v1/namespace.ts'
import { node as nodeKind } from '../../../api/core/v1/node.ts'
import { service as serviceKind } from '../../../api/core/v1/service.ts'
import { endpointSlice as sliceKind } from '../../../api/discovery/v1/endpoint-slice.ts'
import { createApiServer } from '../../../apiserver/apiserver.ts'
import type { Client } from '../../../client/client.ts'
import { createInformers } from '../../../client/informers.ts'
import { createMemoryStore } from '../../../store/memory/memory-store.ts'
import { createClusterState, stateFile, type ClusterState, type StateChange } from './cluster-state.ts'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const random = seededRandom(7)

let stack: AsyncDisposableStack
let stateDir: string
let client: Client

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  stateDir = await mkdtemp(join(tmpdir(), 'flotilla-state-'))
  stack.defer(() => rm(stateDir, { recursive: true, force: true }))
  const store = stack.use(createMemoryStore({ clock: systemClock, random }))
  const server = stack.use(createApiServer({ store, clock: systemClock, random, logger }))
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  client = server.clientFor(ADMIN)
  await client.create(namespaceKind, { metadata: { name: 'default' } }).catch(() => undefined)
  await client.create(nodeKind, { metadata: { name: 'node-1' }, spec: { podCIDR: '10.244.1.0/24' } })
  await addService('web')
  await client.create(sliceKind, slice('web-1', 'web', '10.244.1.2'))
})
afterEach(() => stack.disposeAsync())

const addService = (name: string) =>
  client.create(serviceKind, { metadata: { namespace: 'default', name }, spec: { ports: [{ port: 80 }] } })

function slice(name: string, service: string, address: string) {
  return {
    metadata: { namespace: 'default', name, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4' as const,
    endpoints: [{ addresses: [address] }],
  }
}

/** A state whose informers run unless the API server is `away`. */
async function follow(options: { away?: boolean } = {}): Promise<{ state: ClusterState; clock: FakeClock; changes: StateChange[] }> {
  const clock = new FakeClock()
  const informers = stack.use(createInformers(client, { clock: systemClock, logger, random }))
  const state = stack.use(createClusterState({ informers, clock, logger, random, stateDir }))
  const changes: StateChange[] = []
  state.changed.on((change) => changes.push(change))
  await state.start()
  if (!options.away) {
    await informers.start()
    await expect.poll(() => state.known).toBe(true)
    await expect.poll(() => changes.length).toBeGreaterThan(0)
  }
  return { state, clock, changes }
}

describe('the state of the network', () => {
  it('starts without the API server, and says that it knows nothing', async () => {
    const { state } = await follow({ away: true })
    expect(state.known).toBe(false)
    expect(state.nodes.size).toBe(0)
  })

  it('tells of all once all three lists are there', async () => {
    const { state, changes } = await follow()
    expect(changes).toEqual([{ nodes: true, services: null }])
    expect(state.nodes.get('node-1')?.podCidr).toBe('10.244.1.0/24')
    expect([...state.services.keys()]).toContain('default/web')
    expect(state.slicesOf('default/web')[0]?.endpoints[0]?.address).toBe('10.244.1.2')
  })

  it('names the Services that a change concerns, and only those', async () => {
    const { state, changes } = await follow()
    await client.create(sliceKind, slice('web-2', 'web', '10.244.1.3'))
    await expect.poll(() => changes.at(-1)).toEqual({ nodes: false, services: new Set(['default/web']) })
    expect(state.slicesOf('default/web').map(({ name }) => name)).toEqual(['web-1', 'web-2'])
  })

  it('names both Services when a slice passes from one to the other', async () => {
    const { changes } = await follow()
    const label = { metadata: { labels: { 'kubernetes.io/service-name': 'other' } } }
    await client.patch(sliceKind, { namespace: 'default', name: 'web-1' }, { type: 'merge', body: label })
    await expect.poll(() => changes.at(-1)).toEqual({ nodes: false, services: new Set(['default/web', 'default/other']) })
  })

  it('says nothing of what packets do not meet', async () => {
    const { changes } = await follow()
    const body = { metadata: { annotations: { note: 'hello' } } }
    await client.patch(nodeKind, { name: 'node-1' }, { type: 'merge', body })
    await addService('marker')
    await expect.poll(() => changes.length).toBe(2)
    expect(changes.at(-1)).toEqual({ nodes: false, services: new Set(['default/marker']) })
  })

  it('is kept, once for a burst, and known again at the next start without the API server', async () => {
    const first = await follow()
    await addService('late')
    await expect.poll(() => first.changes.length).toBe(2)
    await first.clock.advance(5000)
    await expect.poll(() => readFile(stateFile(stateDir), 'utf8').catch(() => '')).toMatch('late')
    const { state } = await follow({ away: true })
    expect(state.known).toBe(true)
    expect([...state.services.keys()]).toContain('default/late')
    expect(state.slicesOf('default/web')).toHaveLength(1)
  })

  it('starts with nothing from a file that is broken', async () => {
    await writeFile(stateFile(stateDir), '{"version":1,"nodes":[')
    expect((await follow({ away: true })).state.known).toBe(false)
  })

  it('forgets what was deleted while nobody looked', async () => {
    const first = await follow()
    await first.clock.advance(5000)
    await expect.poll(() => readFile(stateFile(stateDir), 'utf8').catch(() => '')).toMatch('web')
    await client.delete(serviceKind, { namespace: 'default', name: 'web' })
    const { state } = await follow()
    expect([...state.services.keys()]).not.toContain('default/web')
  })
})
