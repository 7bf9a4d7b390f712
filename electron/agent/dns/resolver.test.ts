import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { Resolver } from './resolver.ts'
import { endpoint, fakeState, headless, service, slice } from './testing/cluster.ts'
import { ask, lines, read, reply } from './testing/messages.ts'
import type { CachedAnswer } from './upstream/answer-cache.ts'
import { upstreamQuery, type Question } from './upstream/question.ts'
import { readResponse } from './wire/response.ts'
import { createClusterZone, startOfAuthority } from './zone/cluster-zone.ts'
import { createReverseZone } from './zone/reverse-zone.ts'
import { ServiceIndex } from './zone/service-index.ts'

interface Others {
  /** What they know, by name; a code for what they do not. */
  readonly [name: string]: { readonly answers: Parameters<typeof reply>[1]; readonly rcode?: number }
}

function setup(others: Others = {}) {
  const state = fakeState()
  const services = new ServiceIndex(state)
  const random = seededRandom(1)
  const asked: string[] = []
  const forwarder = {
    async ask(question: Question): Promise<CachedAnswer | null> {
      const { id, message } = upstreamQuery(question, random, false)
      const name = read(message).questions[0]?.name ?? ''
      asked.push(name)
      const known = others[name.toLowerCase()]
      const response = known ? readResponse(reply(message, known.answers, known.rcode), id, question.bytes) : null
      return response && { response, age: 5 }
    },
  }
  const resolver = new Resolver({
    zones: [
      createClusterZone({ domain: 'cluster.local', address: '10.96.0.10', services, now: () => 0 }),
      createReverseZone({ domain: 'cluster.local', cidrs: ['10.96.0.0/16'], services }),
    ],
    authority: (zone) => startOfAuthority(zone, 'cluster.local', 0),
    ...{ forwarder, random, logger: silentLogger },
  })
  const given = async (...args: Parameters<typeof ask>) => read(await resolver.answer(ask(...args), 'udp'))
  return { state, asked, resolver, given }
}

describe('the resolver', () => {
  it('answers for the cluster with authority, and says for how long a "no" holds', async () => {
    const { state, given } = setup()
    state.put(service('web'))
    expect(await given('web.shop.svc.cluster.local')).toMatchObject({ rcode: 'NOERROR', flag_aa: true, answers: [{ data: '10.96.0.7' }] })
    const no = { authorities: [{ name: 'cluster.local', type: 'SOA', ttl: 5, data: { minimum: 5 } }], answers: [] }
    expect(await given('web.shop.svc.cluster.local', 'AAAA')).toMatchObject({ rcode: 'NOERROR', flag_aa: true, ...no })
    expect(await given('nope.shop.svc.cluster.local')).toMatchObject({ rcode: 'NXDOMAIN', flag_aa: true, ...no })
    expect(await given('9.9.96.10.in-addr.arpa', 'PTR')).toMatchObject({ rcode: 'NXDOMAIN', authorities: [{ name: '96.10.in-addr.arpa' }] })
  })

  it('asks nobody else about the cluster, whatever is asked', async () => {
    const { state, asked, given } = setup()
    state.known = false
    for (const name of ['web.shop.svc.cluster.local', 'cluster.local', 'x.cluster.local', 'X.CLUSTER.LOCAL']) await given(name)
    expect((await given('web.shop.svc.cluster.local')).rcode).toBe('SERVFAIL')
    expect(asked).toEqual([])
  })

  it('hands on what others say of other names, and says so when nobody does', async () => {
    const { asked, given } = setup({
      'example.com': { answers: { answers: [{ name: 'example.com', type: 'A', ttl: 60, data: '192.0.2.1' }] } },
    })
    expect(await given('Example.com')).toMatchObject({ rcode: 'NOERROR', flag_aa: false, answers: [{ ttl: 55, data: '192.0.2.1' }] })
    expect((await given('example.org')).rcode).toBe('SERVFAIL')
    expect(asked).toEqual(['Example.com', 'example.org'])
  })

  it('gives the addresses of endpoints in changing order', async () => {
    const { state, given } = setup()
    state.put(headless('db'), [
      slice(
        'db',
        ['10.244.0.1', '10.244.0.2', '10.244.0.3'].map((address) => endpoint(address)),
      ),
    ])
    const orders = new Set<string>()
    for (let i = 0; i < 60; i++) orders.add((await given('db.shop.svc.cluster.local')).answers.map(({ data }) => data).join(' '))
    expect(orders.size).toBe(6)
  })

  it('follows an external name to its address', async () => {
    const answers = { answers: [{ name: 'api.example.com', type: 'A', ttl: 60, data: '192.0.2.1' }] }
    const data = { mname: 'ns.example.com', rname: 'who.example.com', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 60 }
    const soa = { name: 'example.com', type: 'SOA', ttl: 300, data }
    const { state, given } = setup({ 'api.example.com': { answers }, 'gone.example.com': { answers: { authorities: [soa] }, rcode: 3 } })
    state.put(service('out', { clusterIP: null, externalName: 'api.example.com' }))
    state.put(service('gone', { clusterIP: null, externalName: 'gone.example.com' }))
    state.put(service('lost', { clusterIP: null, externalName: 'lost.example.com' }))
    const given4 = await given('out.shop.svc.cluster.local')
    expect(lines(given4.answers)).toEqual(['api.example.com A 192.0.2.1', 'out.shop.svc.cluster.local CNAME api.example.com'])
    expect((await given('out.shop.svc.cluster.local', 'CNAME')).answers).toHaveLength(1)
    const gone = { rcode: 'NXDOMAIN', answers: [{ type: 'CNAME' }], authorities: [{ name: 'example.com', ttl: 295, data }] }
    expect(await given('gone.shop.svc.cluster.local')).toMatchObject(gone)
    expect((await given('lost.shop.svc.cluster.local')).rcode).toBe('SERVFAIL')
  })

  it('follows external names within the cluster, but not in circles', async () => {
    const { state, asked, given } = setup()
    state.put(service('web'))
    state.put(service('out', { clusterIP: null, externalName: 'web.shop.svc.cluster.local' }))
    state.put(service('ring', { clusterIP: null, externalName: 'ring.shop.svc.cluster.local' }))
    state.put(service('dead', { clusterIP: null, externalName: 'nope.shop.svc.cluster.local' }))
    expect(lines((await given('out.shop.svc.cluster.local')).answers)).toEqual([
      'out.shop.svc.cluster.local CNAME web.shop.svc.cluster.local',
      'web.shop.svc.cluster.local A 10.96.0.7',
    ])
    expect((await given('ring.shop.svc.cluster.local')).rcode).toBe('SERVFAIL')
    expect(await given('dead.shop.svc.cluster.local')).toMatchObject({ rcode: 'NXDOMAIN', answers: [{ type: 'CNAME' }], authorities: [{}] })
    expect(asked).toEqual([])
  })

  it('follows a few external names one after the other, but not any number', async () => {
    const { state, given } = setup()
    state.put(service('web'))
    for (let i = 0; i < 12; i++)
      state.put(service(`a${i}`, { clusterIP: null, externalName: `${i ? `a${i - 1}` : 'web'}.shop.svc.cluster.local` }))
    expect((await given('a2.shop.svc.cluster.local')).answers.map(({ type }) => type)).toEqual(['CNAME', 'CNAME', 'CNAME', 'A'])
    expect((await given('a11.shop.svc.cluster.local')).rcode).toBe('SERVFAIL')
  })

  it('refuses by name what it does not do', async () => {
    const { given, resolver } = setup()
    expect((await given('cluster.local', 'AXFR')).rcode).toBe('REFUSED')
    expect((await given('version.bind', 'TXT', { class: 'CH' })).rcode).toBe('REFUSED')
    expect((await given('example.com', 'A', { flags: 4 << 11 })).rcode).toBe('NOTIMP')
    const cut = ask('example.com').subarray(0, 15)
    expect(read(await resolver.answer(cut, 'udp'))).toMatchObject({ id: 4711, rcode: 'FORMERR' })
    expect(await resolver.answer(reply(ask('example.com')), 'udp')).toBeNull()
  })

  it('answers a version of EDNS that it does not know with its own', async () => {
    const message = ask('example.com', 'A', { udpSize: 1232 })
    message[message.length - 5] = 1
    const answer = read(await setup().resolver.answer(message, 'udp'))
    expect(answer.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1, ednsVersion: 0 }])
  })
})
