import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deferred, type Deferred } from '../../../base/async.ts'
import { FakeClock, settle } from '../../../base/fake-clock.ts'
import { seededRandom } from '../../../base/random.ts'
import type { Packet } from 'dns-packet'
import { ask, query, read, reply, type AskOptions } from '../testing/messages.ts'
import { readResponse, type Response } from '../wire/response.ts'
import { AnswerCache } from './answer-cache.ts'
import { handOn } from './hand-on.ts'
import { createHostResolvers } from './host-resolvers.ts'
import { keyOf, questionFor, questionOf, upstreamQuery } from './question.ts'
import { race } from './race.ts'

const a = (data: string, ttl = 60, name = 'www.example.com') => ({ name, type: 'A', ttl, data })
const soa = (ttl: number) => ({
  ...{ name: 'example.com', type: 'SOA', ttl },
  data: { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 3600 },
})

function response(packet: Packet, rcode = 0): Response {
  const found = readResponse(reply(ask('www.example.com'), packet, rcode), 4711, query('www.example.com').question)
  if (!found) throw new Error('no answer')
  return found
}

describe('the cache of answers', () => {
  const seconds = { now: 1000 }
  const open = (limits = { entries: 3, bytes: 10_000 }) => new AnswerCache(() => seconds.now, limits)

  it('keeps an answer as long as its shortest record says, and tells its age', () => {
    const cache = open()
    cache.put('k', response({ answers: [a('192.0.2.1', 60), a('192.0.2.2', 10)] }))
    seconds.now += 9.5
    expect(cache.get('k')?.age).toBe(9)
    seconds.now += 0.5
    expect(cache.get('k')).toBeNull()
    expect(cache.size).toBe(0)
  })

  it('keeps that there is nothing as long as the zone says, a minute at most', () => {
    const cache = open()
    cache.put('short', response({ authorities: [soa(30)] }, 3))
    cache.put('long', response({ authorities: [soa(900)] }))
    cache.put('silent', response({}, 3))
    seconds.now += 29
    expect([cache.get('short'), cache.get('long')]).not.toContain(null)
    expect(cache.get('silent')).toBeNull()
    seconds.now += 30
    expect(cache.get('short')).toBeNull()
    expect(cache.get('long')).not.toBeNull()
    seconds.now += 1
    expect(cache.get('long')).toBeNull()
  })

  it('keeps neither failures, nor what was cut off, nor what must not be kept', () => {
    const cache = open()
    cache.put('failed', response({ answers: [a('192.0.2.1')] }, 2))
    cache.put('cut', response({ answers: [a('192.0.2.1')], flags: 0x8380 }))
    cache.put('zero', response({ answers: [a('192.0.2.1', 0)] }))
    expect(cache.size).toBe(0)
  })

  it('drops what was not used for the longest time when it is full', () => {
    const cache = open()
    for (const key of ['1', '2', '3']) cache.put(key, response({ answers: [a('192.0.2.1')] }))
    cache.get('1')
    cache.put('4', response({ answers: [a('192.0.2.1')] }))
    expect(cache.get('2')).toBeNull()
    expect(cache.get('1')).not.toBeNull()
  })

  it('holds no more bytes than it may', () => {
    const size = response({ answers: [a('192.0.2.1')] }).bytes.length
    const cache = open({ entries: 100, bytes: size * 2 })
    for (const key of ['1', '2', '2', '3']) cache.put(key, response({ answers: [a('192.0.2.1')] }))
    expect(cache.size).toBe(2)
    cache.clear()
    for (const key of ['1', '2']) cache.put(key, response({ answers: [a('192.0.2.1')] }))
    expect(cache.size).toBe(2)
  })
})

describe('an answer that is handed on', () => {
  const hand = (
    packet: Packet,
    {
      limit = 512,
      age = 0,
      start = 0,
      rcode = 0,
      ...options
    }: AskOptions & { limit?: number; age?: number; start?: number; rcode?: number } = {},
  ) => read(handOn({ response: response(packet, rcode), age }, query('WWW.example.com', 'A', { id: 7, ...options }), limit, start))

  it("has the client's id and capitals, and what is left of the time", () => {
    const given = hand({ answers: [a('192.0.2.1', 60)], flags: 0x8580 }, { age: 13 })
    expect(given).toMatchObject({ id: 7, flag_aa: false, flag_ra: true, flag_rd: true, flag_tc: false, rcode: 'NOERROR' })
    expect(given.questions[0]?.name).toBe('WWW.example.com')
    expect(given.answers).toMatchObject([{ ttl: 47, data: '192.0.2.1' }])
    expect(given.additionals).toEqual([])
  })

  it('says why there is nothing', () => {
    const given = hand({ authorities: [soa(30)] }, { rcode: 3, udpSize: 1232 })
    expect(given).toMatchObject({ rcode: 'NXDOMAIN', authorities: [{ type: 'SOA' }], additionals: [{ type: 'OPT' }] })
  })

  it('is cut at a whole record and marked where the client takes less', () => {
    const answers = Array.from({ length: 30 }, (_, i) => a(`192.0.2.${i}`))
    const given = hand({ answers, additionals: [a('192.0.2.99')] }, { limit: 200 })
    expect(given.flag_tc).toBe(true)
    expect(given.answers.length).toBeGreaterThan(3)
    expect(given.answers.length).toBeLessThan(8)
    expect(given.additionals).toEqual([])
  })

  it('is marked where it came cut off, and never longer than the client takes', () => {
    const answers = Array.from({ length: 30 }, (_, i) => a(`192.0.2.${i}`))
    expect(hand({ answers: answers.slice(0, 2), flags: 0x8380 })).toMatchObject({ flag_tc: true, answers: [{}, {}] })
    const whole = { response: response({ answers, authorities: [soa(5)] }), age: 0 }
    for (let limit = 60; limit < 700; limit++) {
      for (const asked of [query('www.example.com'), query('www.example.com', 'A', { udpSize: 512 })]) {
        const given = handOn(whole, asked, limit, 0)
        expect(given.length).toBeLessThanOrEqual(limit)
        expect(read(given).flag_tc).toBe(read(given).authorities.length === 0)
      }
    }
  })

  it('loses additional records first, without a mark', () => {
    const additionals = Array.from({ length: 30 }, (_, i) => a(`192.0.2.${i}`))
    const given = hand({ answers: [a('192.0.2.200')], authorities: [soa(5)], additionals }, { limit: 300, udpSize: 512 })
    expect(given).toMatchObject({ flag_tc: false, answers: [{ data: '192.0.2.200' }], authorities: [{ type: 'SOA' }] })
    expect(given.additionals.filter(({ type }) => type === 'A').length).toBeGreaterThan(0)
    expect(given.additionals.at(-1)?.type).toBe('OPT')
  })

  it('begins with another address each time', () => {
    const answers = [a('192.0.2.1'), a('192.0.2.2'), a('192.0.2.3')]
    const firsts = [0, 0.4, 0.9].map((start) => hand({ answers }, { start }).answers.map(({ data }) => data))
    expect(firsts.map(([first]) => first)).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3'])
    for (const all of firsts) expect(new Set(all).size).toBe(3)
  })

  it('says that it was verified only to who asks for that', () => {
    const verified = { answers: [a('192.0.2.1')], flags: 0x81a0 }
    expect(hand(verified).flag_ad).toBe(false)
    expect(hand(verified, { udpSize: 1232, dnssecOk: true }).flag_ad).toBe(true)
  })
})

describe('a question to others', () => {
  it('is the same whatever its capitals, and another one for another type or for signatures', () => {
    const key = (name: string, type = 'A', options: AskOptions = {}) => keyOf(questionOf(query(name, type, options)))
    expect(key('Example.COM')).toBe(key('example.com'))
    const keys = [
      key('example.com'),
      key('example.com', 'AAAA'),
      key('example.org'),
      key('example.com', 'A', { udpSize: 512, dnssecOk: true }),
    ]
    expect(new Set(keys).size).toBe(4)
  })

  it('wants recursion and says what it takes', () => {
    const sent = upstreamQuery(questionOf(query('example.com', 'A', { udpSize: 4096, dnssecOk: true })), seededRandom(1), true)
    expect(read(sent.message)).toMatchObject({ id: sent.id, type: 'query', flag_rd: true, questions: [{ name: 'example.com', type: 'A' }] })
    expect(read(sent.message).additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flags: 0x8000 }])
    expect(read(upstreamQuery(questionOf(query('example.com')), seededRandom(1), false).message).additionals).toEqual([])
  })

  it('keeps its type when it is for the name that an alias leads to', () => {
    const sent = upstreamQuery(questionFor(query('out.shop.svc.cluster.local', 'AAAA'), 'api.example.com'), seededRandom(1), true)
    expect(read(sent.message).questions).toMatchObject([{ name: 'api.example.com', type: 'AAAA', class: 'IN' }])
  })
})

describe('a race of servers', () => {
  let clock: FakeClock
  let asked: string[]
  let open: Map<string, Deferred<string>>
  let slow: string[]

  beforeEach(() => {
    clock = new FakeClock()
    asked = []
    slow = []
    open = new Map()
  })

  const run = (servers: readonly string[], signal = new AbortController().signal) =>
    race<string, string>({
      servers,
      ask: (server, end) => {
        asked.push(server)
        const answer = deferred<string>()
        open.set(server, answer)
        end.addEventListener('abort', () => answer.reject(end.reason), { once: true })
        return answer.promise
      },
      onSlow: (server) => slow.push(server),
      ...{ clock, patience: 1000, limit: 4500, signal },
    })

  it('asks one server while it answers in time', async () => {
    const result = run(['a', 'b'])
    await settle()
    open.get('a')?.resolve('yes')
    expect(await result).toBe('yes')
    expect([asked, slow]).toEqual([['a'], []])
    expect(clock.pending).toBe(0)
  })

  it('asks the next one when one is slow, and still takes the answer of the first', async () => {
    const result = run(['a', 'b'])
    const first = open.get('a')
    await clock.advance(1000)
    expect([asked, slow]).toEqual([['a', 'b'], ['a']])
    first?.resolve('late')
    expect(await result).toBe('late')
  })

  it('goes on at once when one refuses, and does not ask it again', async () => {
    const result = run(['a', 'b'])
    open.get('a')?.reject(new Error('refused'))
    await settle()
    expect(asked).toEqual(['a', 'b'])
    await clock.advance(3750)
    expect(asked).toEqual(['a', 'b', 'b', 'b'])
    open.get('b')?.resolve('yes')
    expect(await result).toBe('yes')
  })

  it('fails when all have refused, with the reason of the last', async () => {
    const result = run(['a', 'b'])
    open.get('a')?.reject(new Error('one'))
    await settle()
    open.get('b')?.reject(new Error('two'))
    await expect(result).rejects.toThrow('two')
    await expect(run([])).rejects.toThrow('no server')
  })

  it('asks a silent server again, each time after a longer wait, and gives up in the end', async () => {
    const result = run(['a'])
    const failed = expect(result).rejects.toThrow('4500 ms')
    await clock.advance(4500)
    await failed
    expect(asked).toEqual(['a', 'a', 'a'])
    expect(clock.pending).toBe(0)
  })

  it('fails at once when a server that was asked twice refuses twice', async () => {
    const result = run(['a'])
    const first = open.get('a')
    await clock.advance(1000)
    open.get('a')?.reject(new Error('again'))
    await settle()
    first?.reject(new Error('refused'))
    await expect(result).rejects.toThrow('refused')
    expect(clock.pending).toBe(0)
  })

  it('ends with its signal', async () => {
    const stop = new AbortController()
    const result = run(['a'], stop.signal)
    stop.abort(new Error('stopped'))
    await expect(result).rejects.toThrow('stopped')
    await expect(run(['a'], stop.signal)).rejects.toThrow('stopped')
    expect(asked).toEqual(['a'])
  })
})

describe("the machine's name servers", () => {
  let dir: string

  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'dns-'))))
  afterEach(() => rm(dir, { recursive: true }))

  it('are those of the first file that names any, without this server itself', async () => {
    const clock = new FakeClock()
    const files = [join(dir, 'own'), join(dir, 'other')]
    const resolvers = createHostResolvers({ files, own: new Set(['10.96.0.10']), clock })
    await writeFile(files[0] as string, 'nameserver 10.96.0.10\n')
    await writeFile(
      files[1] as string,
      '# made\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver nonsense\nnameserver 192.0.2.1\n',
    )
    await resolvers.start()
    expect(resolvers.servers).toEqual(['192.0.2.1', 'fe80::1%eth0'])
    await resolvers[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })

  it('follow the file, also when it goes and comes back', async () => {
    const clock = new FakeClock()
    const file = join(dir, 'resolv.conf')
    const resolvers = createHostResolvers({ files: [file], own: new Set(), clock })
    await resolvers.start()
    expect(resolvers.servers).toEqual([])
    const changes: string[] = []
    const changed = deferred<void>()
    resolvers.changed.on(() => {
      changes.push(resolvers.servers.join(' '))
      changed.resolve()
    })
    await writeFile(file, 'nameserver 192.0.2.1\n')
    await clock.advance(2000)
    await changed.promise
    expect(changes).toEqual(['192.0.2.1'])
    await resolvers[Symbol.asyncDispose]()
  })
})
