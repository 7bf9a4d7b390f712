/** A scheduler with several profiles and an extender that it reaches by HTTP. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { createApiServer } from '../../electron/apiserver/apiserver.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import { schedulerConfiguration } from '../../electron/scheduler/config/configuration.ts'
import { createScheduler } from '../../electron/scheduler/scheduler.ts'
import { createMemoryStore } from '../../electron/store/memory/memory-store.ts'
import { createHollowKubelets } from './hollow-kubelets.ts'

let stack = new AsyncDisposableStack()
afterEach(async () => {
  await stack.disposeAsync()
  stack = new AsyncDisposableStack()
})

/** Only nodes whose names end so get pods; answers 500 to what it does not know. */
async function startExtender(end: string): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { NodeNames = [] } = JSON.parse(Buffer.concat(parts).toString()) as { NodeNames?: string[] }
      if (request.url !== '/v1/filter') return response.writeHead(500).end('unknown verb')
      const nodeNames = NodeNames.filter((name) => name.endsWith(end))
      const failedNodes = Object.fromEntries(NodeNames.filter((name) => !name.endsWith(end)).map((name) => [name, 'not of this name']))
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ nodeNames, failedNodes }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

async function startCluster(more: object) {
  const common = { clock: systemClock, logger: silentLogger, random: seededRandom(1) }
  const store = stack.use(createMemoryStore(common))
  const server = stack.use(createApiServer({ store, ...common, admission: { disabled: ['ServiceAccount'] } }))
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  const client = server.clientFor({ name: 'test', groups: ['system:masters'] })
  await client.create(namespaceKind, { metadata: { name: 'test' } })
  const nodes = ['node-0', 'node-1', 'node-2'].map((name) => ({ name }))
  await stack.use(createHollowKubelets({ client, ...common, nodes })).start()
  await expect.poll(async () => (await client.list(nodeKind)).items.length).toBe(3)
  // No controller takes off the taint of new nodes.
  for (const { name } of nodes) await client.patch(nodeKind, { name }, { type: 'merge', body: { spec: { taints: null } } })
  const document = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', ...more }
  await stack.use(createScheduler({ client, ...common, ...schedulerConfiguration(document) })).start()
  return {
    add: (name: string, schedulerName?: string) =>
      client.create(podKind, {
        metadata: { name, namespace: 'test' },
        spec: { containers: [{ name: 'app', image: 'app:1' }], ...(schedulerName ? { schedulerName } : {}) },
      }),
    pod: (name: string) => client.get(podKind, { namespace: 'test', name }),
  }
}

describe('a scheduler with an extender by HTTP', () => {
  it('places the pods of all its profiles where the extender lets it', async () => {
    const urlPrefix = await startExtender('-1')
    const extenders = [{ urlPrefix, filterVerb: 'filter', nodeCacheCapable: true }]
    const cluster = await startCluster({ profiles: [{}, { schedulerName: 'second' }], extenders })
    await cluster.add('one')
    await cluster.add('two', 'second')
    await cluster.add('three', 'nobody')
    for (const name of ['one', 'two']) {
      await expect.poll(async () => (await cluster.pod(name)).status.phase).toBe('Running')
      expect((await cluster.pod(name)).spec.nodeName).toBe('node-1')
    }
    expect((await cluster.pod('three')).spec.nodeName ?? '').toBe('')
  })

  it('says what the extender answered if it is no use, and goes on without one that is not there', async () => {
    const urlPrefix = await startExtender('-1')
    const absent = { urlPrefix: 'http://127.0.0.1:1', filterVerb: 'filter', ignorable: true }
    const cluster = await startCluster({ extenders: [absent, { urlPrefix, filterVerb: 'wrong' }] })
    await cluster.add('one')
    const condition = async () => (await cluster.pod('one')).status.conditions?.find(({ type }) => type === 'PodScheduled')
    await expect.poll(async () => (await condition())?.message ?? '').toContain('code 500')
    expect((await condition())?.reason).toBe('SchedulerError')
  })
})
