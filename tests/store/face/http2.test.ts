import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import { FakeClock } from '../../../electron/base/fake-clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { seededRandom, randomInt } from '../../../electron/base/random.ts'
import { createEtcdFace, type EtcdFace } from '../../../electron/store/etcd/etcd-face.ts'
import { prefixed } from '../../../electron/store/etcd/grpc/message.ts'
import { CODE, FLAG, FRAME, PREFACE, SETTING, settingsFrame, windowUpdateFrame } from '../../../electron/store/etcd/http2/frame.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'
import type { Store } from '../../../electron/store/store.ts'
import { ALL, put, text, write } from '../../../electron/store/testing/subject.ts'
import {
  PutRequestSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  WatchRequestSchema,
  WatchResponseSchema,
} from '../../../electron/store/wire/gen/etcd_pb.js'
import { keyBytes } from '../../../electron/store/wire/keys.ts'
import { frame, RawClient, requestHeaders } from './raw-client.ts'

const PUT = '/etcdserverpb.KV/Put'
const RANGE = '/etcdserverpb.KV/Range'
const WATCH = '/etcdserverpb.Watch/Watch'
const END = FLAG.endHeaders
const deps = { clock: systemClock, logger: silentLogger }

const putMessage = (key: string, value: string | Uint8Array) =>
  prefixed(toBinary(PutRequestSchema, create(PutRequestSchema, { key: keyBytes(key), value: Buffer.from(value) })))
const rangeMessage = (key: string) => prefixed(toBinary(RangeRequestSchema, create(RangeRequestSchema, { key: keyBytes(key) })))
const headersOf = (stream: number, path: string) => frame(FRAME.headers, END, stream, requestHeaders(path))
const dataOf = (stream: number, message: Uint8Array) => frame(FRAME.data, FLAG.endStream, stream, message)

interface Answer {
  readonly status: string
  readonly message: string
  readonly body: Buffer
}

/** A call through Node's own HTTP/2, which uses HPACK's table and Huffman codes, and padding if told so. */
function call(session: ClientHttp2Session, path: string, message: Uint8Array, more: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...more },
      { endStream: false },
    )
    const parts: Buffer[] = []
    let [status, text] = ['', '']
    const take = (headers: IncomingHttpHeaders) => {
      status = String(headers['grpc-status'] ?? status)
      text = String(headers['grpc-message'] ?? text)
    }
    stream.on('response', take).on('trailers', take)
    stream.on('data', (bytes: Buffer) => parts.push(bytes))
    stream.on('error', reject).on('close', () => resolve({ status, message: decodeURIComponent(text), body: Buffer.concat(parts) }))
    stream.end(message)
  })
}

describe('the HTTP/2 of the face', () => {
  let store: Store
  let face: EtcdFace
  beforeAll(async () => {
    store = createMemoryStore(deps)
    face = createEtcdFace({ ...deps, store, listen: { port: 0 }, tls: null, identity: { clusterId: 1n, memberId: 2n, name: 'raw' } })
    await face.start()
  })
  afterAll(async () => {
    await face[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await store.txn({ success: [{ type: 'delete', ...ALL }] })
  })
  const valueOf = async (key: string) => (await store.range({ key })).kvs.map(({ value }) => text(value))

  it('takes a request in single bytes', async () => {
    await using client = await RawClient.silent(face.url)
    const all = Buffer.concat([PREFACE, settingsFrame([]), headersOf(1, PUT), dataOf(1, putMessage('a', 'one by one'))])
    for (const byte of all) client.send(Uint8Array.of(byte))
    await client.frame(({ type, flags, stream }) => stream === 1 && type === FRAME.headers && (flags & FLAG.endStream) !== 0)
    expect(await valueOf('a')).toEqual(['one by one'])
  })

  it('takes many requests in one piece, and answers each', async () => {
    await using client = await RawClient.open(face.url)
    const requests = Array.from({ length: 300 }, (_, i) => [headersOf(2 * i + 1, PUT), dataOf(2 * i + 1, putMessage(`k${i}`, 'x'))])
    client.send(...requests.flat())
    await expect.poll(() => client.frames.filter(({ type, flags }) => type === FRAME.headers && flags & FLAG.endStream).length).toBe(300)
    expect((await store.range({ ...ALL, countOnly: true })).count).toBe(300)
  })

  it('takes headers in pieces, with padding and priority, and a message over several frames with padding', async () => {
    await using client = await RawClient.open(face.url)
    const block = requestHeaders(PUT)
    const first = Buffer.concat([Buffer.from([3]), Buffer.alloc(5), block.subarray(0, 10), Buffer.alloc(3)])
    const message = putMessage('a', 'padded')
    client.send(
      frame(FRAME.headers, FLAG.padded | FLAG.priority, 1, first),
      frame(FRAME.continuation, 0, 1, block.subarray(10, 20)),
      frame(FRAME.continuation, 0, 1, Buffer.alloc(0)),
      frame(FRAME.continuation, FLAG.endHeaders, 1, block.subarray(20)),
      frame(FRAME.data, FLAG.padded, 1, Buffer.concat([Buffer.from([200]), message.subarray(0, 7), Buffer.alloc(200)])),
      frame(FRAME.data, FLAG.padded, 1, Buffer.from([0])),
      frame(0xbe, 0xff, 1, Buffer.from('an unknown frame')),
      frame(FRAME.data, 0, 1, message.subarray(7)),
      frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(0)),
    )
    await client.frame(({ type, flags, stream }) => stream === 1 && type === FRAME.headers && (flags & FLAG.endStream) !== 0)
    expect(await valueOf('a')).toEqual(['padded'])
  })

  it('takes what comes behind the body for its end', async () => {
    await using client = await RawClient.open(face.url)
    const trailers = frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, Buffer.alloc(0))
    client.send(headersOf(1, PUT), frame(FRAME.data, 0, 1, putMessage('a', '1')), trailers)
    await client.frame(({ type, flags }) => type === FRAME.headers && (flags & FLAG.endStream) !== 0)
    expect(await valueOf('a')).toEqual(['1'])
  })

  it('speaks with another HTTP/2, whose headers go by table and Huffman code', async () => {
    const session = connectHttp2(face.url)
    for (let i = 0; i < 100; i++) {
      const more = { 'x-same': 'again and again', [`x-${i}`]: `value ${i} ~`.repeat(i), 'grpc-timeout': `${i}S` }
      expect(await call(session, PUT, putMessage(`k${i}`, `${i}`), more)).toMatchObject({ status: '0' })
    }
    expect(await valueOf('k99')).toEqual(['99'])
    session.close()
  })

  it('carries messages as large as etcd’s, both ways, and refuses larger ones', async () => {
    const session = connectHttp2(face.url)
    const large = Buffer.alloc(1_500_000, 'large')
    expect(await call(session, PUT, putMessage('large', large))).toMatchObject({ status: '0' })
    const { body } = await call(session, RANGE, rangeMessage('large'))
    expect(Buffer.compare(fromBinary(RangeResponseSchema, body.subarray(5)).kvs[0]?.value as Uint8Array, large)).toBe(0)
    expect(await call(session, PUT, putMessage('large', Buffer.alloc(1_600_000)))).toMatchObject({
      status: '3',
      message: 'etcdserver: request is too large',
    })
    expect(await call(session, PUT, putMessage('large', Buffer.alloc(3_000_000)))).toMatchObject({
      status: '8',
      message: expect.stringContaining('larger than max') as string,
    })
    session.close()
  })

  it('refuses what it does not know, and what is no message', async () => {
    const session = connectHttp2(face.url)
    expect(await call(session, '/etcdserverpb.KV/Steal', prefixed(Buffer.alloc(0)))).toMatchObject({
      status: '12',
      message: 'unknown method Steal for service etcdserverpb.KV',
    })
    expect(await call(session, '/some.Service/Do', prefixed(Buffer.alloc(0)))).toMatchObject({
      status: '12',
      message: 'unknown service some.Service',
    })
    expect(await call(session, PUT, Buffer.alloc(0))).toMatchObject({ status: '13' })
    expect(await call(session, PUT, Buffer.from([1, 0, 0, 0, 0]))).toMatchObject({
      status: '12',
      message: expect.stringContaining('compressed') as string,
    })
    expect(await call(session, PUT, prefixed(Buffer.from('ffffff', 'hex')))).toMatchObject({ status: '13' })
    expect(await call(session, PUT, Buffer.concat([putMessage('a', '1'), putMessage('b', '1')]))).toMatchObject({ status: '13' })
    expect((await call(session, '/health', Buffer.alloc(0), { 'content-type': 'text/plain', ':method': 'GET' })).body.toString()).toContain(
      'true',
    )
    session.close()
  })

  it('sends no more than there is room for, on the stream and on the connection, and what a window taken back allows', async () => {
    await write(store, 'a', 'x'.repeat(100_000))
    await using client = await RawClient.open(face.url, [[SETTING.initialWindowSize, 1000]])
    client.send(headersOf(1, RANGE), dataOf(1, rangeMessage('a')))
    await expect.poll(() => client.body(1).length).toBe(1000)
    // 500 of the thousand that have been sent are taken back: the next 500 that are allowed allow nothing.
    client.send(settingsFrame([[SETTING.initialWindowSize, 500]]), windowUpdateFrame(1, 500))
    client.send(windowUpdateFrame(1, 10))
    await expect.poll(() => client.body(1).length).toBe(1010)
    client.send(windowUpdateFrame(1, 200_000))
    // The connection's window is still the one that it began with.
    await expect.poll(() => client.body(1).length).toBe(65_535)
    client.send(windowUpdateFrame(0, 200_000))
    await client.frame(({ type, flags, stream }) => stream === 1 && type === FRAME.headers && (flags & FLAG.endStream) !== 0)
    const { kvs } = fromBinary(RangeResponseSchema, client.body(1).subarray(5))
    expect(kvs[0]?.value.length).toBe(100_000)
    expect(Math.max(...client.frames.map(({ payload }) => payload.length))).toBeLessThanOrEqual(16_384)
  })

  it('makes room as it reads, so that any number of bytes can come', async () => {
    const session = connectHttp2(face.url, { maxSessionMemory: 100 })
    const calls = Array.from({ length: 40 }, (_, i) => call(session, PUT, putMessage(`k${i}`, Buffer.alloc(1_000_000))))
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set(['0']))
    session.close()
  })

  it('answers pings and settings', async () => {
    await using client = await RawClient.open(face.url, [[0xff, 1]])
    client.send(frame(FRAME.ping, 0, 0, Buffer.from('12345678')))
    expect((await client.frame(({ type, flags }) => type === FRAME.ping && flags === FLAG.ack)).payload.toString()).toBe('12345678')
    await client.frame(({ type, flags }) => type === FRAME.settings && flags === FLAG.ack)
  })

  it('sends away who pings without end', async () => {
    await using client = await RawClient.open(face.url)
    for (let i = 0; i < 4; i++) client.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)))
    expect(await client.goneAway()).toBe(CODE.enhanceYourCalm)
    expect(client.frames.find(({ type }) => type === FRAME.goAway)?.payload.toString('latin1', 8)).toBe('too_many_pings')
  })

  it('ends the connection of whoever breaks the protocol, with the code for it', async () => {
    const open = headersOf(1, PUT)
    const wrong: readonly (readonly [what: string, code: number, ...sent: readonly Buffer[]])[] = [
      ['data of no stream', CODE.protocolError, frame(FRAME.data, 0, 0, Buffer.alloc(1))],
      ['data before headers', CODE.protocolError, frame(FRAME.data, 0, 1, Buffer.alloc(1))],
      ['headers of no stream', CODE.protocolError, headersOf(0, PUT)],
      ['headers of a server’s stream', CODE.protocolError, headersOf(2, PUT)],
      [
        'headers that are interrupted',
        CODE.protocolError,
        frame(FRAME.headers, 0, 1, requestHeaders(PUT)),
        frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
      ],
      ['a continuation of nothing', CODE.protocolError, frame(FRAME.continuation, FLAG.endHeaders, 1, Buffer.alloc(0))],
      [
        'headers without end',
        CODE.enhanceYourCalm,
        frame(FRAME.headers, 0, 1, Buffer.alloc(0)),
        ...Array.from({ length: 70 }, () => frame(FRAME.continuation, 0, 1, Buffer.alloc(1))),
      ],
      ['headers that cannot be read', CODE.compressionError, frame(FRAME.headers, END, 1, Buffer.from([0xff, 0xff]))],
      ['more padding than there is', CODE.protocolError, open, frame(FRAME.data, FLAG.padded, 1, Buffer.from([9, 1]))],
      ['a frame that is too large', CODE.frameSizeError, frame(FRAME.data, 0, 1, Buffer.alloc(16_385))],
      ['a priority that is too short', CODE.frameSizeError, frame(FRAME.priority, 0, 1, Buffer.alloc(4))],
      ['a reset of nothing', CODE.protocolError, frame(FRAME.resetStream, 0, 1, Buffer.alloc(4))],
      ['a reset that is too long', CODE.frameSizeError, open, frame(FRAME.resetStream, 0, 1, Buffer.alloc(5))],
      ['settings of a stream', CODE.protocolError, frame(FRAME.settings, 0, 1, Buffer.alloc(0))],
      ['settings that are cut off', CODE.frameSizeError, frame(FRAME.settings, 0, 0, Buffer.alloc(5))],
      ['a window that is too large', CODE.flowControlError, settingsFrame([[SETTING.initialWindowSize, 2 ** 31]])],
      ['frames that are too small', CODE.protocolError, settingsFrame([[SETTING.maxFrameSize, 100]])],
      ['a push', CODE.protocolError, frame(FRAME.pushPromise, END, 1, Buffer.alloc(4))],
      ['a ping of a stream', CODE.protocolError, frame(FRAME.ping, 0, 1, Buffer.alloc(8))],
      ['a ping that is too short', CODE.frameSizeError, frame(FRAME.ping, 0, 0, Buffer.alloc(7))],
      ['a window update by nothing', CODE.protocolError, windowUpdateFrame(0, 0)],
      ['a window update of nothing', CODE.protocolError, windowUpdateFrame(5, 1)],
      ['a window beyond all measure', CODE.flowControlError, windowUpdateFrame(0, 0x7fffffff)],
    ]
    for (const [what, code, ...sent] of wrong) {
      await using client = await RawClient.open(face.url)
      client.send(...sent)
      expect([what, await client.goneAway()]).toEqual([what, code])
    }
    await using stranger = await RawClient.silent(face.url)
    stranger.send(Buffer.from('PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n'))
    expect(await stranger.goneAway()).toBe(CODE.protocolError)
  })

  it('resets only the stream on which a mistake was made', async () => {
    await using client = await RawClient.open(face.url)
    client.send(headersOf(1, WATCH), frame(FRAME.windowUpdate, 0, 1, Buffer.alloc(4)))
    expect(await client.resetCode(1)).toBe(CODE.protocolError)
    client.send(headersOf(3, WATCH), windowUpdateFrame(3, 0x7fffffff))
    expect(await client.resetCode(3)).toBe(CODE.flowControlError)
    client.send(headersOf(5, WATCH), frame(FRAME.headers, END, 5, Buffer.alloc(0)))
    expect(await client.resetCode(5)).toBe(CODE.protocolError)
    client.send(frame(FRAME.headers, END, 7, Buffer.concat([requestHeaders(PUT), Buffer.from([0x82])])))
    expect(await client.resetCode(7)).toBe(CODE.protocolError)
    client.send(headersOf(9, PUT), dataOf(9, putMessage('a', '1')))
    await client.frame(({ type, flags, stream }) => stream === 9 && type === FRAME.headers && (flags & FLAG.endStream) !== 0)
  })

  it('lets go of what was given up: a lock that is waited for, and requests by the thousand', async () => {
    await using client = await RawClient.open(face.url)
    await write(store, 'held/1', '')
    const name = Buffer.from([0, 0, 0, 0, 6, 0x0a, 4, ...Buffer.from('held')])
    client.send(headersOf(1, '/v3lockpb.Lock/Lock'), dataOf(1, name))
    await expect.poll(async () => (await store.range({ key: 'held/', end: 'held0', countOnly: true })).count).toBe(2)
    client.send(frame(FRAME.resetStream, 0, 1, Buffer.alloc(4)))
    await expect.poll(async () => (await store.range({ key: 'held/', end: 'held0', countOnly: true })).count).toBe(1)
    for (let id = 3; id < 60_000; id += 2) {
      client.send(headersOf(id, PUT), dataOf(id, putMessage('a', '1')), frame(FRAME.resetStream, 0, id, Buffer.alloc(4)))
    }
    client.send(headersOf(60_001, PUT), dataOf(60_001, putMessage('a', 'last')))
    await client.frame(({ type, flags, stream }) => stream === 60_001 && type === FRAME.headers && (flags & FLAG.endStream) !== 0)
    expect(await valueOf('a')).toEqual(['last'])
  })

  it('keeps events for a client that does not read in the history and not in memory, and tells it all when it does', async () => {
    const EVENTS = 20_000
    await using client = await RawClient.open(face.url, [[SETTING.initialWindowSize, 100]])
    const request = create(WatchRequestSchema, { requestUnion: { case: 'createRequest', value: { key: keyBytes('a') } } })
    client.send(headersOf(1, WATCH), frame(FRAME.data, 0, 1, prefixed(toBinary(WatchRequestSchema, request))))
    await expect.poll(() => client.body(1).length).toBeGreaterThan(0)
    const before = (await store.status()).revision
    for (let i = 0; i < EVENTS; i += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, j) => store.txn({ success: [put('a', String(i + j))] })))
    }
    expect(client.body(1).length).toBeLessThanOrEqual(100)
    client.send(windowUpdateFrame(1, 2 ** 30), windowUpdateFrame(0, 2 ** 30))
    const revisions = () => {
      const body = client.body(1)
      const seen: number[] = []
      for (let at = 0; at + 5 <= body.length;) {
        const end = at + 5 + body.readUInt32BE(at + 1)
        if (end > body.length) break
        for (const { kv } of fromBinary(WatchResponseSchema, body.subarray(at + 5, end)).events) seen.push(Number(kv?.modRevision))
        at = end
      }
      return seen
    }
    await expect.poll(() => revisions().at(-1), { interval: 500 }).toBe(before + EVENTS)
    expect(revisions()).toEqual(Array.from({ length: EVENTS }, (_, i) => before + 1 + i))
  })

  it('asks a silent client whether it is there, and gives up who is not, and who never said what it speaks', async () => {
    const clock = new FakeClock()
    const identity = { clusterId: 1n, memberId: 2n, name: 'patient' }
    const own = createEtcdFace({ clock, logger: silentLogger, store, listen: { port: 0 }, tls: null, identity })
    await own.start()
    await using dumb = await RawClient.silent(own.url)
    await expect
      .poll(async () => {
        await clock.advance(10_000)
        return dumb.closed
      })
      .toBe(true)
    await using there = await RawClient.open(own.url)
    await using gone = await RawClient.open(own.url)
    await Promise.all([there, gone].map((client) => client.frame(({ type }) => type === FRAME.settings)))
    await clock.advance(30_000)
    const { payload } = await there.frame(({ type }) => type === FRAME.ping)
    await gone.frame(({ type }) => type === FRAME.ping)
    there.send(frame(FRAME.ping, FLAG.ack, 0, payload), headersOf(1, RANGE), dataOf(1, rangeMessage('a')))
    await there.frame(({ stream }) => stream === 1)
    await clock.advance(20_000)
    await expect.poll(() => gone.closed).toBe(true)
    expect(there.closed).toBe(false)
    there.send(headersOf(3, RANGE), dataOf(3, rangeMessage('a')))
    await there.frame(({ stream }) => stream === 3)
    await own[Symbol.asyncDispose]()
  })

  it('outlives whatever it is sent', async () => {
    const random = seededRandom(20260104)
    const valid = Buffer.concat([
      ...[
        settingsFrame([[SETTING.initialWindowSize, 5]]),
        headersOf(1, WATCH),
        headersOf(3, PUT),
        dataOf(3, putMessage('a', 'x'.repeat(50))),
      ],
      ...[windowUpdateFrame(0, 100), headersOf(5, RANGE), dataOf(5, rangeMessage('a')), frame(FRAME.resetStream, 0, 5, Buffer.alloc(4))],
      ...[frame(FRAME.headers, 0, 7, requestHeaders(RANGE)), frame(FRAME.continuation, END, 7, Buffer.alloc(0))],
      frame(FRAME.goAway, 0, 0, Buffer.alloc(8)),
    ])
    for (let round = 0; round < 300; round++) {
      await using client = await RawClient.silent(face.url)
      const bytes = Buffer.from(valid)
      for (let i = randomInt(random, 6); i >= 0; i--) bytes[randomInt(random, bytes.length)] = randomInt(random, 256)
      const cut = randomInt(random, bytes.length)
      client.send(PREFACE, bytes.subarray(0, cut))
      client.send(bytes.subarray(cut), random.bytes(randomInt(random, 40)))
      if (round % 3 === 0) await client.frame(() => true)
    }
    await write(store, 'after', 'all')
    const session = connectHttp2(face.url)
    expect((await call(session, RANGE, rangeMessage('after'))).status).toBe('0')
    session.close()
  })

  it('tells its clients when it stops, answers what is under way, and ends what would go on for ever', async () => {
    const own = createEtcdFace({ ...deps, store, listen: { port: 0 }, tls: null, identity: { clusterId: 1n, memberId: 2n, name: 'stops' } })
    await own.start()
    await using client = await RawClient.open(own.url)
    client.send(headersOf(1, WATCH), frame(FRAME.data, 0, 1, prefixed(toBinary(WatchRequestSchema, create(WatchRequestSchema, {})))))
    client.send(headersOf(3, PUT), dataOf(3, putMessage('a', '1')))
    await client.frame(({ stream }) => stream === 3)
    await own[Symbol.asyncDispose]()
    await client.frame(({ type }) => type === FRAME.goAway)
    const last = await client.frame(({ type, stream, flags }) => stream === 1 && type === FRAME.headers && (flags & FLAG.endStream) !== 0)
    expect(last.payload.toString('latin1')).toContain('etcdserver: server stopped')
    await expect.poll(() => client.closed).toBe(true)
    await expect(RawClient.open(own.url)).rejects.toThrow('ECONNREFUSED')
  })
})
