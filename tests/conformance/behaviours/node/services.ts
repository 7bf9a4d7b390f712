/** Service, Endpoints and EndpointSlice: what pods behind them and pods that call them see. */
import assert from 'node:assert/strict'
import { endpoints, endpointSlice, pod, service } from '../../../../electron/api/kinds.gen.ts'
import type { Pod, Service, ServiceSpec } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { execIn, isReady, serving, shell, STAY, startPod } from '../../lib/running.ts'
import { updateObject } from '../../lib/whole-api.ts'

const APP = { app: 'served' }

function createService({ client, namespace }: BehaviourContext, name: string, spec: Draft<ServiceSpec>): Promise<Service> {
  return client.create(service, { metadata: { name, namespace }, spec })
}

const http = (more: object = {}) => ({ port: 80, targetPort: 8080, protocol: 'TCP' as const, ...more })
const startServer = (context: BehaviourContext, name?: string, env: Record<string, string> = {}, labels: Record<string, string> = APP) =>
  startPod(context, { containers: [serving(context, env)] }, { labels, ...(name ? { name } : {}) })
const startClient = (context: BehaviourContext) => startPod(context, { containers: [shell(context, STAY)] })

/** What `/hostname` answers at each of these, or null where nobody does. */
const ask = (context: BehaviourContext, from: Pod, at: string) => execIn(context, from, `fetch http://${at}/hostname`).catch(() => null)

async function untilAnswered(context: BehaviourContext, from: Pod, at: string, answer: string | null): Promise<void> {
  await eventually(context.signal, `${at} is answered by ${answer ?? 'nobody'}`, async () => (await ask(context, from, at)) === answer)
}

/** Addresses with their ports as "10.244.0.3:8080/http", of the slices of a Service. */
async function sliceAddresses({ client, namespace }: BehaviourContext, name: string): Promise<string[]> {
  const { items } = await client.list(endpointSlice, { namespace, labelSelector: `kubernetes.io/service-name=${name}` })
  return items
    .flatMap(({ endpoints: all = [], ports = [] }) =>
      all
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses }) => ports.map(({ port, name: of }) => `${addresses[0]}:${port}/${of ?? ''}`)),
    )
    .sort()
}

async function endpointAddresses({ client, namespace }: BehaviourContext, name: string): Promise<string[]> {
  const { subsets = [] } = await client.get(endpoints, { name, namespace })
  return subsets
    .flatMap(({ addresses = [], ports = [] }) =>
      addresses.flatMap(({ ip }) => ports.map(({ port, name: of }) => `${ip}:${port}/${of ?? ''}`)),
    )
    .sort()
}

async function untilEndpoints(context: BehaviourContext, name: string, wanted: string[]): Promise<void> {
  let seen: string[] = []
  await eventually(context.signal, `the endpoints of ${name} are ${wanted.join(' ')}`, async () => {
    seen = await endpointAddresses(context, name)
    return seen.join() === wanted.sort().join() && (await sliceAddresses(context, name)).join() === wanted.join()
  }).catch((error: unknown) => {
    throw new Error(`the endpoints were last ${seen.join(' ')}`, { cause: error })
  })
}

const at = ({ status }: Pod, port: number, name = '') => `${status.podIP}:${port}/${name}`
const resolved = (context: BehaviourContext, from: Pod, name: string) => execIn(context, from, `getent ahostsv4 ${name} || true`)

/** A Service of type ExternalName has no address, and resolves to its target. */
async function untilExternal(context: BehaviourContext, from: Pod, name: string, target: string): Promise<void> {
  assert.ok(!(await context.client.get(service, { name, namespace: context.namespace })).spec.clusterIP)
  await eventually(context.signal, `${name} resolves to ${target}`, async () =>
    (await resolved(context, from, `${name}.${context.namespace}.svc.cluster.local`)).includes(target),
  )
}

function toExternalName(type: 'ClusterIP' | 'NodePort'): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    await startServer(context, 'server')
    const from = await startClient(context)
    const target = await createService(context, 'target', { selector: APP, ports: [http()] })
    const made = await createService(context, 'changing', { type, selector: APP, ports: [http()] })
    await untilAnswered(context, from, 'changing', 'server')
    const externalName = `target.${namespace}.svc.cluster.local`
    await updateObject(context, service, made.metadata, ({ spec }) => {
      spec.type = 'ExternalName'
      spec.externalName = externalName
      delete spec.clusterIP
      delete spec.clusterIPs
      for (const port of spec.ports ?? []) delete port.nodePort
    })
    const { spec } = await client.get(service, made.metadata)
    assert.ok(!spec.ports?.some(({ nodePort }) => nodePort))
    await untilExternal(context, from, 'changing', target.spec.clusterIP ?? 'none')
    if (type === 'NodePort') {
      const nodePort = made.spec.ports?.[0]?.nodePort
      assert.ok(nodePort)
      // It was given back: another may have it.
      await createService(context, 'another', { type: 'NodePort', selector: APP, ports: [http({ nodePort })] })
    }
  }
}

/** Three pods behind a Service, asked often by one client; the names that answered. */
async function answering(context: BehaviourContext, from: Pod, host: string, times = 15): Promise<Set<string>> {
  const output = await execIn(context, from, `for i in $(seq ${times}); do fetch http://${host}/hostname; echo; done`)
  return new Set(output.split('\n').filter(Boolean))
}

async function threeServers(context: BehaviourContext, sessionAffinity: 'ClientIP' | 'None') {
  const [from, ...servers] = await Promise.all([startClient(context), ...['one', 'two', 'three'].map((name) => startServer(context, name))])
  const made = await createService(context, 'affine', { sessionAffinity, selector: APP, ports: [http()] })
  await untilEndpoints(
    context,
    'affine',
    servers.map((server) => at(server, 8080)),
  )
  await eventually(context.signal, 'the Service answers', async () => (await ask(context, from, 'affine')) !== null)
  return { from, made, ip: made.spec.clusterIP ?? '' }
}

export const behaviours: Behaviours = {
  async 'endpoints-for-pods'(context) {
    await createService(context, 'served', { selector: APP, ports: [http()] })
    const server = await startServer(context)
    await untilEndpoints(context, 'served', [at(server, 8080)])
  },

  async 'endpointslice-for-pods'(context) {
    const { client, namespace, signal } = context
    const made = await createService(context, 'served', { selector: APP, ports: [http({ name: 'http' })] })
    const servers = await Promise.all([startServer(context), startServer(context)])
    await untilEndpoints(
      context,
      'served',
      servers.map((server) => at(server, 8080, 'http')),
    )
    await client.delete(service, made.metadata)
    await eventually(signal, 'the slices are gone', async () => {
      const { items } = await client.list(endpointSlice, { namespace, labelSelector: 'kubernetes.io/service-name=served' })
      return items.length === 0
    })
  },

  async 'service-endpoints-follow-pods'(context) {
    const { client } = context
    await createService(context, 'served', { selector: APP, ports: [http()] })
    const from = await startClient(context)
    await untilEndpoints(context, 'served', [])
    const one = await startServer(context, 'one')
    await untilEndpoints(context, 'served', [at(one, 8080)])
    await untilAnswered(context, from, 'served', 'one')
    const two = await startServer(context, 'two')
    await untilEndpoints(context, 'served', [at(one, 8080), at(two, 8080)])
    await client.delete(pod, one.metadata)
    await untilEndpoints(context, 'served', [at(two, 8080)])
    await untilAnswered(context, from, 'served', 'two')
    await client.delete(pod, two.metadata)
    await untilEndpoints(context, 'served', [])
  },

  async 'service-multiport-endpoints'(context) {
    const { client } = context
    const ports = [http({ name: 'first', targetPort: 'first' }), http({ name: 'second', port: 81, targetPort: 'second' })]
    await createService(context, 'served', { selector: APP, ports })
    await untilEndpoints(context, 'served', [])
    const start = (name: string, containerPort: number) =>
      startPod(
        context,
        {
          containers: [serving(context, {}, { env: [{ name: 'PORTS', value: String(containerPort) }], ports: [{ name, containerPort }] })],
        },
        { labels: APP },
      )
    const one = await start('first', 8100)
    await untilEndpoints(context, 'served', [at(one, 8100, 'first')])
    const two = await start('second', 8101)
    await untilEndpoints(context, 'served', [at(one, 8100, 'first'), at(two, 8101, 'second')])
    await client.delete(pod, one.metadata)
    await untilEndpoints(context, 'served', [at(two, 8101, 'second')])
    await client.delete(pod, two.metadata)
    await untilEndpoints(context, 'served', [])
  },

  'service-clusterip-to-externalname': toExternalName('ClusterIP'),
  'service-nodeport-to-externalname': toExternalName('NodePort'),

  async 'service-externalname-to-clusterip'(context) {
    const made = await createService(context, 'changing', { type: 'ExternalName', externalName: 'foo.example.com' })
    assert.ok(!made.spec.clusterIP)
    const from = await startClient(context)
    await startServer(context, 'server')
    const changed = await updateObject(context, service, made.metadata, ({ spec }) => {
      spec.type = 'ClusterIP'
      delete spec.externalName
      spec.ports = [http()]
      spec.selector = APP
    })
    assert.ok(changed.spec.clusterIP)
    await untilAnswered(context, from, 'changing', 'server')
    await untilAnswered(context, from, changed.spec.clusterIP, 'server')
  },

  async 'service-same-port-tcp-udp'(context) {
    const tcp = { name: 'tcp', port: 8080, targetPort: 8080, protocol: 'TCP' as const }
    const udp = { name: 'udp', port: 8080, targetPort: 8080, protocol: 'UDP' as const }
    const from = await startClient(context)
    await startServer(context, 'server', { UDP_PORT: '8080' })
    const made = await createService(context, 'both', { selector: APP, ports: [tcp, udp] })
    const ip = made.spec.clusterIP ?? ''
    const program = `const s = require('dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); process.exit(0) }); s.send('hello', 8080, '${ip}'); setTimeout(() => process.exit(1), 1000)`
    const overUdp = () =>
      execIn(context, from, `node -e "${program}"`).then(
        (output) => output.trim(),
        () => null,
      )
    const untilUdp = (answer: string | null) =>
      eventually(context.signal, `over UDP ${answer ?? 'nobody'} answers`, async () => (await overUdp()) === answer)
    await untilAnswered(context, from, `${ip}:8080`, 'server')
    await untilUdp('server')
    await updateObject(context, service, made.metadata, ({ spec }) => void (spec.ports = [tcp]))
    await untilUdp(null)
    await untilAnswered(context, from, `${ip}:8080`, 'server')
    await updateObject(context, service, made.metadata, ({ spec }) => void (spec.ports = [udp]))
    await untilAnswered(context, from, `${ip}:8080`, null)
    await untilUdp('server')
  },

  async 'service-affinity-clusterip'(context) {
    const { from, ip } = await threeServers(context, 'ClientIP')
    const byIp = await answering(context, from, ip)
    assert.equal(byIp.size, 1, [...byIp].join())
    assert.deepEqual(await answering(context, from, 'affine'), byIp)
  },

  async 'service-affinity-switch-clusterip'(context) {
    const { from, made, ip } = await threeServers(context, 'None')
    await eventually(context.signal, 'answers come from changing pods', async () => (await answering(context, from, ip)).size > 1)
    await updateObject(context, service, made.metadata, ({ spec }) => void (spec.sessionAffinity = 'ClientIP'))
    await eventually(context.signal, 'all answers come from one pod', async () => (await answering(context, from, ip, 30)).size === 1)
  },

  async 'endpointslice-manual-multiple-ips'(context) {
    const { client, namespace } = context
    const [from, one, two] = await Promise.all([
      startClient(context),
      startServer(context, 'one'),
      startServer(context, 'two', { PORTS: '9090' }),
    ])
    const made = await createService(context, 'manual', {
      ports: [
        { name: 'first', port: 80 },
        { name: 'second', port: 81 },
      ],
    })
    const labels = { 'kubernetes.io/service-name': 'manual', 'endpointslice.kubernetes.io/managed-by': 'conformance' }
    const slice = (name: string, port: string, number: number, server: Pod) =>
      client.create(endpointSlice, {
        metadata: { name, namespace, labels },
        addressType: 'IPv4',
        ports: [{ name: port, port: number, protocol: 'TCP' }],
        endpoints: [{ addresses: [server.status.podIP ?? ''] }],
      })
    await slice('manual-1', 'first', 8080, one)
    await slice('manual-2', 'second', 9090, two)
    await untilAnswered(context, from, `${made.spec.clusterIP}:80`, 'one')
    await untilAnswered(context, from, `${made.spec.clusterIP}:81`, 'two')
  },

  async 'endpointslice-manual-multiple-ports'(context) {
    const { client, namespace } = context
    const [from, server] = await Promise.all([startClient(context), startServer(context, 'server', { PORTS: '9090' })])
    const made = await createService(context, 'manual', {
      ports: [
        { name: 'first', port: 80 },
        { name: 'second', port: 81 },
      ],
    })
    const labels = { 'kubernetes.io/service-name': 'manual', 'endpointslice.kubernetes.io/managed-by': 'conformance' }
    for (const [name, port] of [
      ['first', 8080],
      ['second', 9090],
    ] as const) {
      await client.create(endpointSlice, {
        metadata: { name: `manual-${name}`, namespace, labels },
        addressType: 'IPv4',
        ports: [{ name, port, protocol: 'TCP' }],
        endpoints: [{ addresses: [server.status.podIP ?? ''] }],
      })
    }
    await untilAnswered(context, from, `${made.spec.clusterIP}:80`, 'server')
    await untilAnswered(context, from, `${made.spec.clusterIP}:81`, 'server')
  },

  async 'service-endpoint-latency'(context) {
    const { client, signal, namespace } = context
    const server = await startServer(context)
    assert.ok(isReady(server))
    const latencies: number[] = []
    const measure = async (name: string) => {
      const start = performance.now()
      const made = await createService(context, name, { selector: APP, ports: [http()] })
      await eventually(signal, 'its endpoints are there', async () => {
        const found = await client.get(endpoints, { name, namespace }).catch(() => null)
        return found?.subsets?.some(({ addresses }) => addresses?.length)
      })
      latencies.push(performance.now() - start)
      await client.delete(service, made.metadata)
    }
    const names = Array.from({ length: 100 }, (_, i) => `latency-${i}`)
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        for (let name = names.shift(); name; name = names.shift()) await measure(name)
      }),
    )
    latencies.sort((a, b) => a - b)
    assert.equal(latencies.length, 100)
    assert.ok((latencies[50] ?? Infinity) <= 20_000, `the median is ${latencies[50]} ms`)
    assert.ok((latencies[98] ?? Infinity) <= 50_000, `the 99th percentile is ${latencies[98]} ms`)
  },
}
