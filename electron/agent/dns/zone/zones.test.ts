import { describe, expect, it } from 'vitest'
import { lines, query, read } from '../testing/messages.ts'
import { endpoint, fakeState, headless, service, slice } from '../testing/cluster.ts'
import { writeAnswer } from '../wire/answer.ts'
import { TYPE } from '../wire/constants.ts'
import { createClusterZone } from './cluster-zone.ts'
import type { Found, Zone } from './found.ts'
import { createReverseZone } from './reverse-zone.ts'
import { ServiceIndex } from './service-index.ts'

function setup() {
  const state = fakeState()
  const services = new ServiceIndex(state)
  const zone = createClusterZone({ domain: 'cluster.local', address: '10.96.0.10', services, now: () => 1_800_000_000_000 })
  const reverse = createReverseZone({ domain: 'cluster.local', cidrs: ['10.96.0.0/16', '10.244.0.0/15'], services })
  state.put(service('web', { ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: null }] }))
  state.put(service('plain', { clusterIP: '10.96.0.8', ports: [{ name: '', protocol: 'UDP', port: 53, nodePort: null }] }))
  state.put(headless('db'), [
    slice(
      'db',
      [endpoint('10.244.0.5', 'db-0'), endpoint('10.244.1.5', 'db-1'), endpoint('10.244.1.6'), endpoint('10.244.1.7', 'db-2', false)],
      [{ name: 'sql', protocol: 'TCP', port: 5432 }],
    ),
  ])
  state.put(service('out', { clusterIP: null, externalName: 'API.Example.com.' }))
  return { state, services, zone, reverse }
}

/** What a client reads, or what kind of "no" it is. */
function found(zone: Zone, name: string, type: keyof typeof TYPE = 'A'): string[] | string | null {
  const answer: Found | null = zone.find(name, TYPE[type])
  if (answer?.kind === 'alias') return `alias ${answer.target}`
  if (answer?.kind !== 'records') return answer && (answer.kind === 'unknown' ? answer.kind : `${answer.kind} in ${answer.zone}`)
  const asked = query(name, type === 'ANY' ? 'ANY' : type)
  return lines(read(writeAnswer(asked, { rcode: 0, authoritative: true, answers: answer.records }, 65_535)).answers)
}

const EMPTY = 'empty in cluster.local'
const MISSING = 'missing in cluster.local'

describe('a Service with a cluster IP', () => {
  it('has its address and, for each named port, where it is served', () => {
    const { zone } = setup()
    expect(found(zone, 'web.shop.svc.cluster.local')).toEqual(['web.shop.svc.cluster.local A 10.96.0.7'])
    expect(found(zone, '_http._tcp.web.shop.svc.cluster.local', 'SRV')).toEqual([
      '_http._tcp.web.shop.svc.cluster.local SRV {"priority":0,"weight":100,"port":80,"target":"web.shop.svc.cluster.local"}',
    ])
    expect(found(zone, '_._udp.plain.shop.svc.cluster.local', 'SRV')).toBe(MISSING)
  })

  it('hands over the address with the port', () => {
    const answer = setup().zone.find('_http._tcp.web.shop.svc.cluster.local', TYPE.SRV)
    expect(answer).toMatchObject({ kind: 'records', additional: [{ name: 'web.shop.svc.cluster.local', type: TYPE.A }] })
  })

  it('has nothing of other types, and no names for its endpoints', () => {
    const { zone } = setup()
    expect(found(zone, 'web.shop.svc.cluster.local', 'AAAA')).toBe(EMPTY)
    expect(found(zone, '_http._tcp.web.shop.svc.cluster.local')).toBe(EMPTY)
    expect(found(zone, '10-244-0-5.web.shop.svc.cluster.local')).toBe(MISSING)
  })

  it('is there without an address until it has one', () => {
    const { zone, state } = setup()
    state.put(service('web', { clusterIP: null }))
    expect(found(zone, 'web.shop.svc.cluster.local')).toBe(EMPTY)
  })
})

describe('a headless Service', () => {
  it('has the addresses of its ready endpoints', () => {
    expect(found(setup().zone, 'db.shop.svc.cluster.local')).toEqual(
      ['10.244.0.5', '10.244.1.5', '10.244.1.6'].map((address) => `db.shop.svc.cluster.local A ${address}`),
    )
  })

  it('has a name for each: its host name, else one made of its address', () => {
    const { zone } = setup()
    expect(found(zone, 'db-1.db.shop.svc.cluster.local')).toEqual(['db-1.db.shop.svc.cluster.local A 10.244.1.5'])
    expect(found(zone, '10-244-1-6.db.shop.svc.cluster.local')).toEqual(['10-244-1-6.db.shop.svc.cluster.local A 10.244.1.6'])
    expect(found(zone, 'db-2.db.shop.svc.cluster.local')).toBe(MISSING)
    expect(found(zone, 'db-1.db.shop.svc.cluster.local', 'AAAA')).toBe(EMPTY)
    expect(found(zone, 'x.db-1.db.shop.svc.cluster.local')).toBe(MISSING)
  })

  it('has all addresses under a host name that several endpoints share', () => {
    const { zone, state } = setup()
    state.put(headless('db'), [slice('db', [endpoint('10.244.0.5', 'a'), endpoint('10.244.0.6', 'a')])])
    expect(found(zone, 'a.db.shop.svc.cluster.local')).toHaveLength(2)
  })

  it('names each endpoint for its ports, also when no port is asked for', () => {
    const { zone } = setup()
    const targets = ['10-244-1-6', 'db-0', 'db-1'].map((host) => `"target":"${host}.db.shop.svc.cluster.local"`)
    for (const name of ['_sql._tcp.db.shop.svc.cluster.local', 'db.shop.svc.cluster.local']) {
      const records = found(zone, name, 'SRV') as string[]
      expect(records).toHaveLength(3)
      for (const target of targets) expect(records.join('\n')).toContain(target)
    }
    expect(found(zone, '_sql._udp.db.shop.svc.cluster.local', 'SRV')).toBe(MISSING)
    expect(found(zone, '_tcp.db.shop.svc.cluster.local', 'SRV')).toBe(EMPTY)
    expect(found(zone, 'x._sql._tcp.db.shop.svc.cluster.local', 'SRV')).toBe(MISSING)
  })

  it('is not there while no endpoint is ready, unless it wants them all', () => {
    const { zone, state } = setup()
    const of = [slice('db', [endpoint('10.244.0.5', 'db-0', false)])]
    state.put(headless('db'), of)
    expect(found(zone, 'db.shop.svc.cluster.local')).toBe(MISSING)
    state.put(headless('db', { publishNotReady: true }), of)
    expect(found(zone, 'db.shop.svc.cluster.local')).toEqual(['db.shop.svc.cluster.local A 10.244.0.5'])
  })
})

describe("the cluster's domain", () => {
  it('has aliases for external names', () => {
    expect(found(setup().zone, 'out.shop.svc.cluster.local')).toBe('alias api.example.com')
    expect(found(setup().zone, 'x.out.shop.svc.cluster.local')).toBe(MISSING)
  })

  it('has addresses of pods by their text', () => {
    const { zone } = setup()
    expect(found(zone, '10-244-3-4.any.pod.cluster.local')).toEqual(['10-244-3-4.any.pod.cluster.local A 10.244.3.4'])
    for (const bad of ['10-244-3-400', '10-244-3', 'a-b-c-d', '10-244-3-04'])
      expect(found(zone, `${bad}.any.pod.cluster.local`)).toBe(MISSING)
  })

  it('says which version it follows, who serves it and since when', () => {
    const { zone } = setup()
    const answer = zone.find('dns-version.cluster.local', TYPE.TXT)
    expect(answer?.kind === 'records' && Buffer.from(answer.records[0]?.data ?? []).toString()).toBe('\x051.1.0')
    expect(found(zone, 'cluster.local', 'NS')).toEqual(['cluster.local NS ns.dns.cluster.local'])
    expect(found(zone, 'ns.dns.cluster.local')).toEqual(['ns.dns.cluster.local A 10.96.0.10'])
    expect(found(zone, 'cluster.local', 'SOA')).toMatchObject([expect.stringContaining('"serial":1800000000') as string])
  })

  it('tells a name without records from one that is not there', () => {
    const { zone } = setup()
    for (const name of ['cluster.local', 'svc.cluster.local', 'pod.cluster.local', 'dns.cluster.local', 'shop.svc.cluster.local']) {
      expect(found(zone, name)).toBe(EMPTY)
    }
    for (const name of ['x.cluster.local', 'x.svc.cluster.local', 'x.shop.svc.cluster.local', 'google.com.shop.svc.cluster.local']) {
      expect(found(zone, name)).toBe(MISSING)
    }
  })

  it('leaves all other names to others', () => {
    const { zone } = setup()
    for (const name of ['example.com', 'local', 'xcluster.local', 'cluster.local.lan', 'a\\.cluster.local', ''])
      expect(found(zone, name)).toBeNull()
  })

  it('says neither yes nor no before it is known what there is', () => {
    const { zone, state } = setup()
    state.known = false
    expect(found(zone, 'web.shop.svc.cluster.local')).toBe('unknown')
    expect(found(zone, '10-0-0-1.x.pod.cluster.local')).toHaveLength(1)
  })

  it('follows changes', () => {
    const { zone, state } = setup()
    expect(found(zone, 'new.fresh.svc.cluster.local')).toBe(MISSING)
    expect(found(zone, 'fresh.svc.cluster.local')).toBe(MISSING)
    state.put(service('new', { namespace: 'fresh', clusterIP: '10.96.9.9' }))
    expect(found(zone, 'new.fresh.svc.cluster.local')).toHaveLength(1)
    expect(found(zone, 'fresh.svc.cluster.local')).toBe(EMPTY)
    state.drop('fresh/new')
    expect(found(zone, 'new.fresh.svc.cluster.local')).toBe(MISSING)
  })
})

describe('from addresses to names', () => {
  it('lead to Services and to the endpoints of headless ones', () => {
    const { reverse } = setup()
    expect(found(reverse, '7.0.96.10.in-addr.arpa', 'PTR')).toEqual(['7.0.96.10.in-addr.arpa PTR web.shop.svc.cluster.local'])
    expect(found(reverse, '5.0.244.10.in-addr.arpa', 'PTR')).toEqual(['5.0.244.10.in-addr.arpa PTR db-0.db.shop.svc.cluster.local'])
    expect(found(reverse, '5.0.244.10.in-addr.arpa', 'A')).toBe('empty in 244.10.in-addr.arpa')
  })

  it('are answered for the blocks of the cluster, and left to others outside of them', () => {
    const { reverse, state } = setup()
    expect(found(reverse, '9.9.96.10.in-addr.arpa', 'PTR')).toBe('missing in 96.10.in-addr.arpa')
    expect(found(reverse, '9.9.245.10.in-addr.arpa', 'PTR')).toBe('missing in 245.10.in-addr.arpa')
    expect(found(reverse, '9.96.10.in-addr.arpa', 'PTR')).toBe('empty in 96.10.in-addr.arpa')
    for (const name of [
      '10.in-addr.arpa',
      '1.2.0.192.in-addr.arpa',
      'in-addr.arpa',
      'x.1.96.10.in-addr.arpa',
      '256.0.96.10.in-addr.arpa',
    ]) {
      expect(found(reverse, name, 'PTR')).toBeNull()
    }
    const { services } = setup()
    const low = createReverseZone({ domain: 'cluster.local', cidrs: ['10.0.0.0/16'], services })
    expect([found(low, '10.in-addr.arpa', 'PTR'), found(low, '0.10.in-addr.arpa', 'PTR')]).toEqual([null, 'empty in 0.10.in-addr.arpa'])
    state.put(headless('db'), [slice('db', [endpoint('192.0.2.1', 'db-0')])])
    expect(found(reverse, '1.2.0.192.in-addr.arpa', 'PTR')).toEqual(['1.2.0.192.in-addr.arpa PTR db-0.db.shop.svc.cluster.local'])
  })

  it('follow changes of Services and endpoints', () => {
    const { reverse, state } = setup()
    expect(found(reverse, '5.1.244.10.in-addr.arpa', 'PTR')).toHaveLength(1)
    state.put(headless('db'), [slice('db', [endpoint('10.244.7.7', 'db-1')])])
    expect(found(reverse, '5.1.244.10.in-addr.arpa', 'PTR')).toBe('missing in 244.10.in-addr.arpa')
    expect(found(reverse, '7.7.244.10.in-addr.arpa', 'PTR')).toHaveLength(1)
    state.services.delete('shop/web')
    state.changed.emit({ nodes: false, services: null })
    expect(found(reverse, '7.0.96.10.in-addr.arpa', 'PTR')).toBe('missing in 96.10.in-addr.arpa')
  })

  it('names a Service and an endpoint that share an address', () => {
    const { reverse, state } = setup()
    state.put(headless('also'), [slice('also', [endpoint('10.244.0.5', 'me')])])
    expect(found(reverse, '5.0.244.10.in-addr.arpa', 'PTR')).toHaveLength(2)
    state.drop('shop/also')
    expect(found(reverse, '5.0.244.10.in-addr.arpa', 'PTR')).toHaveLength(1)
  })
})
