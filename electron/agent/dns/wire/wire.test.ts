import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ask, lines, query, read, reply } from '../testing/messages.ts'
import { sizeLimit, writeAnswer, writeRefusal } from './answer.ts'
import { RCODE, TYPE } from './constants.ts'
import { framed, FrameReader } from './frames.ts'
import { encodeName, isEncodable, labelsOf, readName } from './name.ts'
import { readQuery } from './query.ts'
import { aRecord, cnameRecord, soaRecord, srvRecord, txtRecord } from './record.ts'
import { negativeTtl, portableAnswers, readResponse } from './response.ts'

describe('names', () => {
  it('are read as they were written, in lower case', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
        const bytes = Uint8Array.from([...labels.flatMap((one) => [one.length, ...one]), 0])
        const name = readName(bytes, 0)
        const lower = bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte))
        expect(name?.end).toBe(bytes.length)
        expect(labelsOf(name?.name ?? '').length).toBe(labels.length)
        const lengths = new Set<number>()
        for (let at = 0; at < bytes.length; at += (bytes[at] ?? 0) + 1) lengths.add(at)
        expect(encodeName(name?.name ?? '')).toEqual(lower.map((byte, i) => (lengths.has(i) ? (bytes[i] ?? 0) : byte)))
      }),
    )
  })

  it('keep a dot inside a label apart from one between labels', () => {
    const name = readName(Uint8Array.from([3, 0x61, 0x2e, 0x62, 0]), 0)?.name
    expect(name).toBe('a\\.b')
    expect(labelsOf('a\\.b.c')).toEqual(['a.b', 'c'])
  })

  it('are refused where pointers lead in circles, forward or out of the message', () => {
    expect(readName(Uint8Array.from([0xc0, 0]), 0)).toBeNull()
    expect(readName(Uint8Array.from([1, 0x61, 0xc0, 4, 0]), 0)).toBeNull()
    expect(readName(Uint8Array.from([5, 0x61]), 0)).toBeNull()
    expect(readName(Uint8Array.from([0x80, 0]), 0)).toBeNull()
  })

  it('have their limits', () => {
    expect(isEncodable(`${'a'.repeat(63)}.b`)).toBe(true)
    for (const bad of ['', 'a..b', 'a'.repeat(64), Array.from({ length: 128 }, () => 'a').join('.')]) expect(isEncodable(bad)).toBe(false)
  })
})

describe('questions', () => {
  it('are read with their size, their flags and their capitals', () => {
    const asked = query('Web.Shop.SVC.cluster.local', 'SRV', { udpSize: 4096, dnssecOk: true })
    expect(asked).toMatchObject({ id: 4711, opcode: 0, name: 'web.shop.svc.cluster.local', type: TYPE.SRV, class: 1 })
    expect(asked.edns).toEqual({ udpSize: 4096, version: 0, dnssecOk: true })
    expect(Buffer.from(asked.question).toString('latin1')).toContain('Web\x04Shop\x03SVC')
    expect(sizeLimit(asked, 'udp')).toBe(1232)
    expect(sizeLimit(query('a'), 'udp')).toBe(512)
    expect(sizeLimit(query('a'), 'tcp')).toBe(65_535)
  })

  it('are told from answers, from what is too short and from what cannot be read', () => {
    const asked = ask('a.b')
    expect(readQuery(reply(asked)).kind).toBe('ignore')
    expect(readQuery(asked.subarray(0, 11)).kind).toBe('ignore')
    expect(readQuery(asked.subarray(0, 18)).kind).toBe('malformed')
    expect(readQuery(encode({ id: 1, type: 'query', questions: [] })).kind).toBe('malformed')
    const twice = ask('a.b', 'A', { udpSize: 1232 })
    const opt = twice.subarray(asked.length)
    const two = Buffer.concat([twice, opt])
    two.writeUInt16BE(2, 10)
    expect(readQuery(two).kind).toBe('malformed')
  })

  it('never break the reader, whatever they are', () => {
    const asked = ask('web.shop.svc.cluster.local', 'A', { udpSize: 1232 })
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void readQuery(bytes)))
    fc.assert(
      fc.property(fc.nat(asked.length - 1), fc.nat(255), (at, byte) => {
        const broken = Uint8Array.from(asked)
        broken[at] = byte
        const result = readQuery(broken)
        if (result.kind === 'query') writeAnswer(result.query, { rcode: 0, authoritative: true, answers: [] }, 512)
      }),
    )
  })
})

describe('answers', () => {
  const name = 'web.shop.svc.cluster.local'
  const answer = (count: number) => ({
    rcode: RCODE.NOERROR,
    authoritative: true,
    answers: Array.from({ length: count }, (_, i) => aRecord(name, 5, `10.244.0.${i}`)),
  })

  it('are read by others as they were meant', () => {
    const records = [
      cnameRecord(name, 30, 'db-0.db.shop.svc.cluster.local'),
      aRecord('db-0.db.shop.svc.cluster.local', 5, '10.244.255.1'),
      srvRecord(name, 30, { weight: 50, port: 8080, target: 'db-1.db.shop.svc.cluster.local' }),
      txtRecord(name, 30, '1.1.0'),
    ]
    const soa = soaRecord('cluster.local', 5, {
      primary: 'ns.dns.cluster.local',
      contact: 'hostmaster.cluster.local',
      serial: 7,
      minimum: 5,
    })
    const written = read(
      writeAnswer(query(name, 'ANY', { udpSize: 4096 }), { rcode: 0, authoritative: true, answers: records, authority: [soa] }, 1232),
    )
    expect(written).toMatchObject({
      id: 4711,
      type: 'response',
      rcode: 'NOERROR',
      flag_aa: true,
      flag_tc: false,
      flag_rd: true,
      flag_ra: true,
    })
    expect(written.answers.map(({ type, ttl, data }) => [type, ttl, data])).toEqual([
      ['CNAME', 30, 'db-0.db.shop.svc.cluster.local'],
      ['A', 5, '10.244.255.1'],
      ['SRV', 30, { priority: 0, weight: 50, port: 8080, target: 'db-1.db.shop.svc.cluster.local' }],
      ['TXT', 30, [Buffer.from('1.1.0')]],
    ])
    expect(written.authorities).toMatchObject([{ name: 'cluster.local', type: 'SOA', data: { serial: 7, minimum: 5 } }])
    expect(written.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }])
  })

  it('repeat the capitals of the question, also in their records', () => {
    const written = read(writeAnswer(query('wEb.shOp.svc.cluster.local'), answer(1), 512))
    expect(written.questions[0]?.name).toBe('wEb.shOp.svc.cluster.local')
    expect(written.answers[0]?.name).toBe('wEb.shOp.svc.cluster.local')
  })

  it('say a repeated name once, so that many records fit', () => {
    const bytes = writeAnswer(query(name), answer(29), 512)
    expect(read(bytes).flag_tc).toBe(false)
    expect(read(bytes).answers).toHaveLength(29)
    expect(bytes.length).toBe(12 + name.length + 2 + 4 + 29 * 16)
  })

  it('are cut at a whole record and marked, with room for the pseudo-record', () => {
    const bytes = writeAnswer(query(name, 'A', { udpSize: 512 }), answer(100), 512)
    expect(bytes.length).toBeLessThanOrEqual(512)
    const written = read(bytes)
    expect(written.flag_tc).toBe(true)
    expect(written.answers).toHaveLength(Math.floor((512 - 11 - 44) / 16))
    expect(written.additionals).toHaveLength(1)
  })

  it('drop additional records that do not fit without a mark', () => {
    const additional = Array.from({ length: 40 }, (_, i) => aRecord(`h${i}.${name}`, 5, '10.0.0.1'))
    const bytes = writeAnswer(query(name), { ...answer(1), additional }, 512)
    expect(read(bytes)).toMatchObject({ flag_tc: false })
    expect(read(bytes).additionals.length).toBeGreaterThan(5)
    expect(bytes.length).toBeLessThanOrEqual(512)
  })

  it('end at the first record that does not fit, though a later one would', () => {
    const answers = [aRecord(name, 5, '10.0.0.1'), txtRecord(name, 5, 'x'.repeat(200)), aRecord(name, 5, '10.0.0.2')]
    const written = read(writeAnswer(query(name), { rcode: 0, authoritative: true, answers }, 150))
    expect(written.flag_tc).toBe(true)
    expect(written.answers.map(({ data }) => data)).toEqual(['10.0.0.1'])
  })

  it('refer to no name of a record that was left out', () => {
    const other = 'host.other.example.com'
    const additional = [txtRecord(other, 5, 'x'.repeat(200)), aRecord(other, 5, '10.0.0.2')]
    expect(lines(read(writeAnswer(query(name), { ...answer(1), additional }, 200)).additionals)).toEqual([`${other} A 10.0.0.2`])
  })

  it('carry upper bits of a code in the pseudo-record', () => {
    const written = read(writeAnswer(query('a', 'A', { udpSize: 1232 }), { rcode: RCODE.BADVERS, authoritative: false, answers: [] }, 512))
    expect(written.rcode).toBe('NOERROR')
    expect(written.additionals[0]?.extendedRcode).toBe(1)
  })

  it('refuse what cannot be read with its id', () => {
    expect(read(writeRefusal(99, 0x0100, RCODE.FORMERR))).toMatchObject({ id: 99, type: 'response', rcode: 'FORMERR', flag_rd: true })
  })
})

describe('answers of others', () => {
  const asked = ask('www.example.com')
  const { question } = query('www.example.com')

  it('are taken only for the question and id that were sent', () => {
    const other = reply(ask('www.example.org'))
    expect(readResponse(reply(asked), 4711, question)?.rcode).toBe(0)
    expect(readResponse(reply(ask('WWW.example.com')), 4711, question)?.rcode).toBe(0)
    expect(readResponse(reply(asked), 4712, question)).toBeNull()
    expect(readResponse(other, 4711, question)).toBeNull()
    expect(readResponse(asked, 4711, question)).toBeNull()
  })

  it('say for how long nothing may be remembered', () => {
    const data = { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 300 }
    const none = reply(asked, { authorities: [{ name: 'example.com', type: 'SOA', ttl: 60, data }] }, 3)
    const response = readResponse(none, 4711, question)
    expect(response?.rcode).toBe(RCODE.NXDOMAIN)
    expect(response && negativeTtl(response)).toBe(60)
    const silent = readResponse(reply(asked, {}, 3), 4711, question)
    expect(silent && negativeTtl(silent)).toBeNull()
  })

  it('are read as far as they are whole when they were cut off, and not at all when they were not', () => {
    const answers = Array.from({ length: 3 }, (_, i) => ({ name: 'www.example.com', type: 'A', ttl: 9, data: `192.0.2.${i}` }))
    const whole = reply(asked, { answers })
    const cut = reply(asked, { answers, flags: 0x8380 })
    expect(readResponse(whole.subarray(0, -2), 4711, question)).toBeNull()
    expect(readResponse(cut.subarray(0, -2), 4711, question)).toMatchObject({ truncated: true, counts: [2, 0, 0] })
  })

  it('give records that can stand elsewhere', () => {
    const answers = [
      { name: 'www.example.com', type: 'CNAME', ttl: 9, data: 'cdn.example.net' },
      { name: 'cdn.example.net', type: 'A', ttl: 8, data: '192.0.2.1' },
      { name: 'cdn.example.net', type: 'MX', ttl: 8, data: { preference: 1, exchange: 'mail.example.net' } },
    ]
    const response = readResponse(reply(asked, { answers }), 4711, question)
    const records = response ? portableAnswers(response) : []
    const written = writeAnswer(query('www.example.com'), { rcode: 0, authoritative: false, answers: records }, 512)
    expect(lines(decode(Buffer.from(written)).answers)).toEqual(['cdn.example.net A 192.0.2.1', 'www.example.com CNAME cdn.example.net'])
  })

  it('never break the reader, whatever they are', () => {
    const whole = reply(asked, { answers: [{ name: 'www.example.com', type: 'CNAME', ttl: 9, data: 'cdn.example.net' }] })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const broken = Uint8Array.from(whole)
        for (const [at, byte] of changes) broken[at] = byte
        const response = readResponse(broken, 4711, question)
        if (response) portableAnswers(response)
      }),
    )
  })
})

describe('frames', () => {
  it('come out whole however they were cut', () => {
    const messages = [Uint8Array.of(1, 2, 3), new Uint8Array(), new Uint8Array(300).fill(7)]
    const stream = Buffer.concat(messages.map(framed))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 20 }), (sizes) => {
        const reader = new FrameReader()
        const out: Uint8Array[] = []
        let at = 0
        for (const size of [...sizes, stream.length]) {
          out.push(...reader.push(stream.subarray(at, at + size)))
          at += size
        }
        expect(out.map((message) => [...message])).toEqual(messages.map((message) => [...message]))
      }),
    )
  })
})
