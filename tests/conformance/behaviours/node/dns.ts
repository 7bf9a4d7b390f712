/** DNS: what pods resolve. */
import assert from 'node:assert/strict'
import { service } from '../../../../electron/api/kinds.gen.ts'
import type { Pod, PodSpec } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { execIn, outputOf, serving, shell, STAY, startPod } from '../../lib/running.ts'
import { updateObject } from '../../lib/whole-api.ts'

const ZONE = 'cluster.local'
const LABELS = { app: 'named' }

/** A pod that asks, with all that answers. */
const startAsker = (context: BehaviourContext, more: Draft<PodSpec> = {}) =>
  startPod(context, { ...more, containers: [shell(context, STAY)] }, { labels: { asks: 'true' } })

/** What the C library makes of a name, through the search path. */
const lookup = async (context: BehaviourContext, from: Pod, name: string): Promise<string[]> => {
  const output = await execIn(context, from, `getent ahostsv4 ${name} || true`)
  return [...new Set(output.split('\n').flatMap((line) => line.split(/\s+/)[0] || []))].sort()
}

/** What the server of the pod's resolv.conf says, over the protocol of Node's own resolver. */
async function records<T>(context: BehaviourContext, from: Pod, method: string, name: string): Promise<T> {
  const program = `require('dns').promises.${method}('${name}').then((r) => console.log(JSON.stringify(r)), (e) => console.log('[]'))`
  return JSON.parse(await execIn(context, from, `node -e "${program}"`)) as T
}

const until = (context: BehaviourContext, what: string, look: () => Promise<boolean>) => eventually(context.signal, what, look)

const untilLookup = (context: BehaviourContext, from: Pod, name: string, wanted: string[]) =>
  until(context, `${name} is ${wanted.join()}`, async () => (await lookup(context, from, name)).join() === [...wanted].sort().join())

async function twoServices(context: BehaviourContext) {
  const { client, namespace } = context
  const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' as const }]
  const [from, server] = await Promise.all([startAsker(context), startPod(context, { containers: [serving(context)] }, { labels: LABELS })])
  const normal = await client.create(service, { metadata: { name: 'normal', namespace }, spec: { selector: LABELS, ports } })
  await client.create(service, { metadata: { name: 'headless', namespace }, spec: { clusterIP: 'None', selector: LABELS, ports } })
  return { from, ip: normal.spec.clusterIP ?? '', podIP: server.status.podIP ?? '' }
}

/** Of the name in the first of the domains that has it: the C library looks up no SRV records, and Node's resolver takes no search path. */
async function untilSrv(context: BehaviourContext, from: Pod, domains: readonly string[], name: string, port: number): Promise<void> {
  await until(context, `${name} has a SRV record with port ${port}`, async () => {
    for (const domain of domains) {
      const found = await records<{ port: number; name: string }[]>(context, from, 'resolveSrv', `${name}.${domain}`)
      if (found.length) return found.length === 1 && found[0]?.port === port
    }
    return false
  })
}

function podNames(spec: Draft<PodSpec>, names: (namespace: string) => string[]): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    const labels = { app: 'hosted' }
    await client.create(service, {
      metadata: { name: 'subdomain', namespace },
      spec: { clusterIP: 'None', selector: labels, ports: [{ name: 'http', port: 1234, protocol: 'TCP' }] },
    })
    const hosted = await startPod(context, { ...spec, containers: [shell(context, STAY)] }, { labels })
    for (const name of names(namespace)) await untilLookup(context, hosted, name, [hosted.status.podIP ?? ''])
  }
}

export const behaviours: Behaviours = {
  async 'dns-cluster'(context) {
    const from = await startAsker(context)
    const kubernetes = (await context.client.get(service, { name: 'kubernetes', namespace: 'default' })).spec.clusterIP ?? ''
    const name = `kubernetes.default.svc.${ZONE}`
    // Over UDP, as ever; over TCP by the option of resolv.conf(5) that asks for it.
    await untilLookup(context, from, name, [kubernetes])
    await untilLookup(context, from, 'kubernetes.default', [kubernetes])
    const overTcp = await execIn(context, from, `RES_OPTIONS=use-vc getent ahostsv4 ${name}`)
    assert.ok(overTcp.startsWith(`${kubernetes} `), overTcp)
  },

  async 'dns-etc-hosts'(context) {
    const from = await startPod(context, { subdomain: 'sub', hostname: 'host', containers: [shell(context, STAY)] })
    const ip = from.status.podIP ?? ''
    for (const name of ['host', `host.sub.${context.namespace}.svc.${ZONE}`]) {
      const hosts = await execIn(context, from, `getent hosts ${name}`)
      assert.ok(hosts.startsWith(`${ip} `), hosts)
    }
    const kubernetes = (await context.client.get(service, { name: 'kubernetes', namespace: 'default' })).spec.clusterIP ?? ''
    await untilLookup(context, from, 'kubernetes.default', [kubernetes])
  },

  async 'dns-services'(context) {
    const { from, ip, podIP } = await twoServices(context)
    for (const suffix of ['', `.${context.namespace}`, `.${context.namespace}.svc`, `.${context.namespace}.svc.${ZONE}`]) {
      await untilLookup(context, from, `normal${suffix}`, [ip])
      await untilLookup(context, from, `headless${suffix}`, [podIP])
    }
    await untilSrv(context, from, [ZONE], `_http._tcp.normal.${context.namespace}.svc`, 80)
    await untilSrv(context, from, [ZONE], `_http._tcp.headless.${context.namespace}.svc`, 8080)
    await until(context, 'the address leads back to its Service', async () =>
      (await records<string[]>(context, from, 'reverse', ip)).includes(`normal.${context.namespace}.svc.${ZONE}`),
    )
    await until(context, 'the pod address leads back to the headless Service', async () =>
      (await records<string[]>(context, from, 'reverse', podIP)).some((name) =>
        name.endsWith(`.headless.${context.namespace}.svc.${ZONE}`),
      ),
    )
  },

  async 'dns-partial-names'(context) {
    const { from, ip, podIP } = await twoServices(context)
    for (const suffix of ['', `.${context.namespace}`, `.${context.namespace}.svc`]) {
      await untilLookup(context, from, `normal${suffix}`, [ip])
      await untilLookup(context, from, `headless${suffix}`, [podIP])
    }
    const domains = (await execIn(context, from, 'grep ^search /etc/resolv.conf')).trim().split(' ').slice(1)
    for (const suffix of ['', `.${context.namespace}`, `.${context.namespace}.svc`]) {
      await untilSrv(context, from, domains, `_http._tcp.normal${suffix}`, 80)
      await untilSrv(context, from, domains, `_http._tcp.headless${suffix}`, 8080)
    }
  },

  async 'dns-externalname'(context) {
    const { client, namespace } = context
    const from = await startAsker(context)
    const name = `external.${namespace}.svc.${ZONE}`
    const made = await client.create(service, {
      metadata: { name: 'external', namespace },
      spec: { type: 'ExternalName', externalName: 'foo.example.com' },
    })
    const untilCname = (target: string) =>
      until(
        context,
        `${name} is an alias of ${target}`,
        async () => (await records<string[]>(context, from, 'resolveCname', name)).join() === target,
      )
    await untilCname('foo.example.com')
    await updateObject(context, service, made.metadata, ({ spec }) => void (spec.externalName = 'bar.example.com'))
    await untilCname('bar.example.com')
    const changed = await updateObject(context, service, made.metadata, ({ spec }) => {
      spec.type = 'ClusterIP'
      delete spec.externalName
      spec.ports = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }]
    })
    assert.ok(changed.spec.clusterIP)
    await untilLookup(context, from, name, [changed.spec.clusterIP])
  },

  async 'dns-pod-dnsconfig'(context) {
    const spec = { dnsPolicy: 'None' as const, dnsConfig: { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'] } }
    const lines = (await outputOf(context, { ...spec, containers: [shell(context, 'cat /etc/resolv.conf')] })).split('\n')
    assert.deepEqual(
      lines.filter((line) => line.startsWith('nameserver')),
      ['nameserver 1.1.1.1'],
    )
    assert.deepEqual(
      lines.filter((line) => line.startsWith('search')),
      ['search resolv.conf.local'],
    )
  },

  'dns-pod-hostname': podNames({ hostname: 'pod-host', subdomain: 'subdomain' }, (namespace) => [
    `pod-host.subdomain.${namespace}.svc.${ZONE}`,
    'pod-host.subdomain',
    'pod-host',
  ]),
  'dns-pod-subdomain': podNames({ hostname: 'pod-host', subdomain: 'subdomain' }, (namespace) => [
    `pod-host.subdomain.${namespace}.svc.${ZONE}`,
    `subdomain.${namespace}.svc.${ZONE}`,
    'subdomain',
  ]),
}
