/** The cluster's DNS at a real address, with the resolver of Node (c-ares) as its client and name servers of the test's own. */
import { Resolver } from 'node:dns/promises'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../electron/base/clock.ts'
import { startIn } from '../../electron/base/lifecycle.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { randomInt, systemRandom } from '../../electron/base/random.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { service as serviceKind } from '../../electron/api/core/v1/service.ts'
import type { ServiceSpec } from '../../electron/api/core/v1/types.gen.ts'
import { endpointSlice as sliceKind } from '../../electron/api/discovery/v1/endpoint-slice.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { createInformers } from '../../electron/client/informers.ts'
import { createClusterDns, type ClusterDns } from '../../electron/agent/dns/cluster-dns.ts'
import { ask, lines, read } from '../../electron/agent/dns/testing/messages.ts'
import { framed, FrameReader } from '../../electron/agent/dns/wire/frames.ts'
import { createClusterState } from '../../electron/agent/net/state/cluster-state.ts'
import { startSecureServer, type SecureServer } from '../api-security/secure-server.ts'
import { askUdp, openUpstream, type Upstream } from './dns-upstream.ts'
import { eventually } from './lab.ts'

const BLOCK = `127.${100 + randomInt(systemRandom, 100)}.${randomInt(systemRandom, 256)}`
const VIP = `${BLOCK}.10`
const CONFIG = { clusterDomain: 'cluster.local', dnsVip: VIP, serviceCIDR: '10.96.0.0/16', clusterCIDR: '10.244.0.0/16' }

const stack = new AsyncDisposableStack()
let dir: string
let api: SecureServer
let dns: ClusterDns
let first: Upstream
let second: Upstream
const resolver = new Resolver({ timeout: 6000, tries: 1 })

const at = (name: string) => ({ namespace: 'shop', name })

const useServers = (...addresses: string[]) =>
  writeFile(join(dir, 'resolv.conf'), addresses.map((address) => `nameserver ${address}\n`).join(''))

async function service(name: string, spec: Draft<ServiceSpec>, endpoints: { address: string; hostname?: string; ready?: boolean }[] = []) {
  await api.admin.create(serviceKind, { metadata: at(name), spec })
  if (!endpoints.length) return
  await api.admin.create(sliceKind, {
    metadata: { ...at(`${name}-1`), labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'sql', protocol: 'TCP', port: 5432 }],
    endpoints: endpoints.map(({ address, ready = true, ...rest }) => ({ addresses: [address], conditions: { ready }, ...rest })),
  })
}

async function start(): Promise<AsyncDisposable & { dns: ClusterDns }> {
  await using undo = new AsyncDisposableStack()
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const informers = undo.use(createInformers(api.admin, deps))
  const state = await startIn(undo, createClusterState({ informers, ...deps, stateDir: dir }))
  const made = createClusterDns({ config: CONFIG, state, ...deps, resolverFiles: [join(dir, 'resolv.conf')] })
  await startIn(undo, made)
  await informers.start()
  const all = undo.move()
  return { dns: made, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

beforeAll(async () => {
  dir = await mkdtemp('/var/tmp/flotilla-dns-')
  stack.defer(() => rm(dir, { recursive: true }))
  api = stack.use(await startSecureServer())
  first = stack.use(await openUpstream(`${BLOCK}.53`))
  second = stack.use(await openUpstream(`${BLOCK}.54`))
  await useServers(first.address, second.address)
  await api.admin.create(namespaceKind, { metadata: { name: 'shop' } })
  await service('web', { clusterIP: '10.96.7.7', ports: [{ name: 'http', port: 80 }] })
  await service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }, [
    { address: '10.244.0.5', hostname: 'db-0' },
    { address: '10.244.1.5', hostname: 'db-1' },
    { address: '10.244.1.6', ready: false },
  ])
  const many = Array.from({ length: 200 }, (_, i) => ({ address: `10.244.9.${i + 1}` }))
  await service('many', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }, many)
  await service('out', { type: 'ExternalName', externalName: 'api.example.com' })
  const running = stack.use(await start())
  dns = running.dns
  resolver.setServers([VIP])
})
afterAll(() => stack.disposeAsync())

afterEach(async () => {
  for (const upstream of [first, second]) {
    upstream.mood = 'answers'
    upstream.asked.length = 0
  }
})

const a = (name: string, data: string, ttl = 60) => ({ name, type: 'A', ttl, data })

describe('names of the cluster', () => {
  it('are known once the API server has told them', async () => {
    expect(dns.listening).toBe(true)
    expect(dns.problems).toEqual([])
    expect(await resolver.resolve4('web.shop.svc.cluster.local', { ttl: true })).toEqual([{ address: '10.96.7.7', ttl: 30 }])
    expect((await resolver.resolve4('DB.shop.SVC.cluster.local')).toSorted()).toEqual(['10.244.0.5', '10.244.1.5'])
    expect(await resolver.resolve4('db-1.db.shop.svc.cluster.local')).toEqual(['10.244.1.5'])
    expect(await resolver.resolve4('10-244-1-5.shop.pod.cluster.local')).toEqual(['10.244.1.5'])
    expect(await resolver.resolveTxt('dns-version.cluster.local')).toEqual([['1.1.0']])
  })

  it('lead to ports, and from addresses back', async () => {
    expect(await resolver.resolveSrv('_http._tcp.web.shop.svc.cluster.local')).toMatchObject([
      { name: 'web.shop.svc.cluster.local', port: 80 },
    ])
    const srv = await resolver.resolveSrv('_sql._tcp.db.shop.svc.cluster.local')
    expect(srv.map(({ name, port }) => `${name}:${port}`).toSorted()).toEqual(
      ['db-0', 'db-1'].map((host) => `${host}.db.shop.svc.cluster.local:5432`),
    )
    expect(await resolver.reverse('10.96.7.7')).toEqual(['web.shop.svc.cluster.local'])
    expect(await resolver.reverse('10.244.0.5')).toEqual(['db-0.db.shop.svc.cluster.local'])
  })

  it('are not there, or have no such record: two answers', async () => {
    await expect(resolver.resolve4('nope.shop.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolve4('google.com.shop.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolve6('web.shop.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' })
    expect([...first.asked, ...second.asked]).toEqual([])
  })

  it('follow the cluster', async () => {
    await service('fresh', { clusterIP: '10.96.8.8', ports: [{ port: 80 }] })
    await eventually('the new Service is known', async () =>
      expect(await resolver.resolve4('fresh.shop.svc.cluster.local')).toEqual(['10.96.8.8']),
    )
    await api.admin.delete(serviceKind, at('fresh'))
    await eventually('the Service has gone', () =>
      expect(resolver.resolve4('fresh.shop.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' }),
    )
  })

  it('are cut over UDP and whole over TCP', async () => {
    const cut = await askUdp(VIP, 'many.shop.svc.cluster.local')
    expect(cut).toMatchObject({ flag_tc: true, rcode: 'NOERROR' })
    expect(cut?.answers.length).toBeGreaterThan(20)
    const more = await askUdp(VIP, 'many.shop.svc.cluster.local', 'A', { udpSize: 4096 })
    expect(more?.answers.length).toBeGreaterThan(70)
    expect(new Set(await resolver.resolve4('many.shop.svc.cluster.local')).size).toBe(200)
  })

  it('are answered over one connection that asks many things', async () => {
    const socket = connect({ host: VIP, port: 53, allowHalfOpen: true })
    const names = ['web.shop.svc.cluster.local', 'nope.shop.svc.cluster.local', 'many.shop.svc.cluster.local']
    for (const [id, name] of names.entries()) socket.write(framed(ask(name, 'A', { id })))
    socket.end()
    const frames = new FrameReader()
    const answers: ReturnType<typeof read>[] = []
    for await (const chunk of socket) answers.push(...frames.push(chunk as Buffer).map(read))
    const byId = new Map(answers.map((answer) => [answer.id, answer]))
    expect([...names.keys()].map((id) => [byId.get(id)?.rcode, byId.get(id)?.answers.length])).toEqual([
      ['NOERROR', 1],
      ['NXDOMAIN', 0],
      ['NOERROR', 200],
    ])
  })
})

describe('other names', () => {
  it("are the machine's name servers' to answer, once in their lifetime", async () => {
    first.names.set('www.example.com', { answers: [a('www.example.com', '192.0.2.1')] })
    expect(await resolver.resolve4('www.example.com')).toEqual(['192.0.2.1'])
    expect(await resolver.resolve4('WWW.example.com')).toEqual(['192.0.2.1'])
    expect(first.asked).toHaveLength(1)
    expect(second.asked).toEqual([])
    await expect(resolver.resolve4('gone.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  it('lead on where an external name points to them', async () => {
    first.names.set('api.example.com', {
      answers: [{ name: 'api.example.com', type: 'CNAME', ttl: 60, data: 'cdn.example.net' }, a('cdn.example.net', '192.0.2.7')],
    })
    expect(await resolver.resolve4('out.shop.svc.cluster.local')).toEqual(['192.0.2.7'])
    expect(await resolver.resolveCname('out.shop.svc.cluster.local')).toEqual(['api.example.com'])
    const answer = await askUdp(VIP, 'out.shop.svc.cluster.local')
    expect(lines(answer?.answers ?? [])).toEqual([
      'api.example.com CNAME cdn.example.net',
      'cdn.example.net A 192.0.2.7',
      'out.shop.svc.cluster.local CNAME api.example.com',
    ])
  })

  it('are asked for again over TCP where the answer is long, and cut for who takes less', async () => {
    const answers = Array.from({ length: 120 }, (_, i) => a('long.example.com', `192.0.2.${i}`))
    first.names.set('long.example.com', { answers })
    expect(new Set(await resolver.resolve4('long.example.com')).size).toBe(120)
    expect(first.asked).toEqual(['udp long.example.com A', 'tcp long.example.com A'])
    const cut = await askUdp(VIP, 'long.example.com')
    expect(cut).toMatchObject({ flag_tc: true })
    expect(cut?.answers.length).toBeLessThan(30)
  })

  it('are answered as far as possible by a server that has no TCP', async () => {
    first.mood = 'no-tcp'
    first.names.set('cut.example.com', { answers: Array.from({ length: 120 }, (_, i) => a('cut.example.com', `192.0.2.${i}`)) })
    expect(await askUdp(VIP, 'cut.example.com')).toMatchObject({ rcode: 'NOERROR', flag_tc: true })
  })

  it('are answered by a server that knows no EDNS', async () => {
    first.mood = 'no-edns'
    first.names.set('old.example.com', { answers: [a('old.example.com', '192.0.2.8')] })
    expect(await askUdp(VIP, 'old.example.com', 'A', { udpSize: 1232 })).toMatchObject({
      answers: [{ data: '192.0.2.8' }],
      additionals: [{}],
    })
    expect(first.asked).toHaveLength(2)
    expect(second.asked).toEqual([])
  })

  it('are answered by the next server where one fails', async () => {
    first.names.set('second.example.com', 2)
    second.names.set('second.example.com', { answers: [a('second.example.com', '192.0.2.2')] })
    expect(await resolver.resolve4('second.example.com')).toEqual(['192.0.2.2'])
    first.names.set('failing.example.com', 2)
    second.names.set('failing.example.com', 5)
    await expect(resolver.resolve4('failing.example.com')).rejects.toMatchObject({ code: 'ESERVFAIL' })
  })

  it('are answered while a server is silent, which is then asked last', async () => {
    for (const name of ['one.example.com', 'two.example.com']) second.names.set(name, { answers: [a(name, '192.0.2.3')] })
    first.mood = 'silent'
    expect(await resolver.resolve4('one.example.com')).toEqual(['192.0.2.3'])
    expect(first.asked).toEqual(['udp one.example.com A'])
    const before = systemClock.monotonic()
    expect(await resolver.resolve4('two.example.com')).toEqual(['192.0.2.3'])
    expect(systemClock.monotonic() - before).toBeLessThan(1000)
    expect(first.asked).toHaveLength(1)
  })

  it('are not answered, with a word and in time, while no server is there; and are again when one is', async () => {
    first.mood = 'silent'
    second.mood = 'silent'
    const before = systemClock.monotonic()
    expect(await askUdp(VIP, 'lost.example.com')).toMatchObject({ rcode: 'SERVFAIL' })
    expect(systemClock.monotonic() - before).toBeLessThan(5000)
    second.mood = 'answers'
    second.names.set('lost.example.com', { answers: [a('lost.example.com', '192.0.2.4')] })
    expect(await resolver.resolve4('lost.example.com')).toEqual(['192.0.2.4'])
  })

  it('are refused at once where the machine has no name server, or this one only', async () => {
    for (const servers of [[], [VIP], [`${BLOCK}.99`]]) {
      await useServers(...servers)
      await eventually('the new servers count', async () => {
        const answer = await askUdp(VIP, `x${randomInt(systemRandom, 1e9)}.example.com`)
        expect(answer?.rcode).toBe('SERVFAIL')
      })
    }
    first.asked.length = 0
    await useServers(second.address)
    second.names.set('back.example.com', { answers: [a('back.example.com', '192.0.2.5')] })
    await eventually('the new server counts', async () => expect(await resolver.resolve4('back.example.com')).toEqual(['192.0.2.5']))
    expect(first.asked).toEqual([])
  })

  it('do not run in circles where a server of the machine asks back', async () => {
    const answers: Promise<unknown>[] = []
    await using circle = await openUpstream(`${BLOCK}.55`, (name) => void answers.push(askUdp(VIP, name)))
    circle.mood = 'silent'
    await useServers(circle.address)
    await eventually('the new server counts', async () => {
      await resolver.resolve4(`probe${randomInt(systemRandom, 1e9)}.example.com`).catch(() => undefined)
      expect(circle.asked.length).toBeGreaterThan(0)
    })
    await Promise.all(answers)
    circle.asked.length = 0
    expect(await askUdp(VIP, 'circle.example.com')).toMatchObject({ rcode: 'SERVFAIL' })
    expect(await Promise.all(answers)).toContainEqual(expect.objectContaining({ rcode: 'SERVFAIL' }))
    expect(circle.asked.length).toBeLessThanOrEqual(5)
    await useServers(first.address, second.address)
  })
})

describe('a restart without the API server', () => {
  it('goes on with what was known', async () => {
    const undo = new AsyncDisposableStack()
    const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
    const folder = await mkdtemp('/var/tmp/flotilla-dns-')
    undo.defer(() => rm(folder, { recursive: true }))
    {
      await using seen = new AsyncDisposableStack()
      const informers = seen.use(createInformers(api.admin, deps))
      await startIn(seen, createClusterState({ informers, ...deps, stateDir: folder }))
      await informers.start()
    }
    await using alone = undo
    const state = await startIn(alone, createClusterState({ informers: createInformers(api.admin, deps), ...deps, stateDir: folder }))
    const config = { ...CONFIG, dnsVip: `${BLOCK}.11` }
    await startIn(alone, createClusterDns({ config, state, ...deps, resolverFiles: [] }))
    const client = new Resolver()
    client.setServers([config.dnsVip])
    expect(await client.resolve4('web.shop.svc.cluster.local')).toEqual(['10.96.7.7'])
  })
})

describe('an address that cannot be listened on', () => {
  const start = async (stack: AsyncDisposableStack, dnsVip: string) => {
    const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
    const state = createClusterState({ informers: createInformers(api.admin, deps), ...deps, stateDir: dir })
    return startIn(stack, createClusterDns({ config: { ...CONFIG, dnsVip }, state, ...deps, resolverFiles: [] }))
  }

  it('is taken as soon as another program leaves it, who is named until then', async () => {
    await using parts = new AsyncDisposableStack()
    const other = await openUpstream(`${BLOCK}.12`)
    const late = await start(parts, `${BLOCK}.12`)
    expect(late.listening).toBe(false)
    expect(late.problems.map(({ reason }) => reason)).toEqual(['DnsPortInUse', 'DnsPortInUse'])
    expect(late.problems[0]?.message).toMatch(/names over UDP at .*:53: another program of this machine listens there/)
    await other[Symbol.asyncDispose]()
    await eventually('it listens', async () => expect(late.listening).toBe(true))
    expect(late.problems).toEqual([])
    expect(await askUdp(`${BLOCK}.12`, 'ns.dns.cluster.local')).toMatchObject({ answers: [{ data: `${BLOCK}.12` }] })
  })

  it('holds up neither the start nor the end', async () => {
    await using parts = new AsyncDisposableStack()
    // Of a block for documentation: no machine has it.
    const never = await start(parts, '192.0.2.10')
    expect(never.problems.map(({ reason }) => reason)).toEqual(['DnsNotListening', 'DnsNotListening'])
  })
})
