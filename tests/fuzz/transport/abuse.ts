/** Connections that are misused below the level of requests. After each the server must answer others as before. */
import { constants } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Dice } from '../generate/dice.ts'
import type { Actor } from '../run/actor.ts'
import { everything } from './connection.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export async function rawAbuse(actor: Actor, dice: Dice): Promise<void> {
  const abuse = dice.one([resets, hugeHeaders, frames, slowBody, heads, upgrades, pipelined, abandonedWatch])
  await abuse(actor, dice)
  await actor.send({ method: 'GET', target: '/livez', headers: {}, body: null, via: 'http1' })
}

/** CVE-2023-44487: streams that are opened and taken back at once. */
async function resets(actor: Actor, dice: Dice): Promise<void> {
  const session = actor.transport.openHttp2()
  const closed = new Promise<void>((resolve) => session.once('close', resolve))
  for (let i = dice.one([20, 300, 2000]); i > 0 && !session.destroyed && !session.closed; i--) {
    const stream = session.request({ ':path': '/api/v1/pods?limit=1', ':method': dice.one(['GET', 'POST']) })
    stream.on('error', () => undefined)
    stream.close(constants.NGHTTP2_CANCEL)
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  setTimeout(() => session.destroy(), 50)
  await closed
}

const HEAD_PATIENCE = 2000

async function hugeHeaders(actor: Actor, dice: Dice): Promise<void> {
  const size = dice.one([10_000, 70_000, 300_000])
  if (dice.chance(0.5)) {
    const socket = await actor.transport.open('http/1.1')
    socket.write(`GET /api HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(size)}\r\nconnection: close\r\n\r\n`)
    await everything(socket)
    return
  }
  const session = actor.transport.openHttp2()
  const headers: Record<string, string> = { ':path': '/api' }
  for (let i = 0; i < size / 1000; i++) headers[`x-${i}`] = 'a'.repeat(1000)
  const stream = session.request(headers)
  await new Promise<void>((resolve) => {
    stream.once('close', resolve)
    stream.once('error', () => resolve())
    session.once('close', resolve)
    // A head that nghttp2 itself refuses to send may end in none of these.
    setTimeout(resolve, HEAD_PATIENCE).unref()
    stream.resume()
    stream.end()
  })
  session.destroy()
}

function frame(type: number, flags: number, stream: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream >>> 0, 5)
  return Buffer.concat([head, payload])
}

async function frames(actor: Actor, dice: Dice): Promise<void> {
  const socket = await actor.transport.open('h2')
  socket.write(PREFACE)
  socket.write(frame(4, 0, 0, Buffer.alloc(0)))
  for (let i = 1 + dice.int(200); i > 0; i--) {
    const payload = dice.bytes(dice.int(40))
    const type = dice.one([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200])
    if (!socket.destroyed)
      socket.write(
        frame(type, dice.int(256), dice.one([0, 1, 3, 5, 2, 0x7fffffff]), payload, dice.chance(0.9) ? payload.length : dice.int(1 << 24)),
      )
  }
  await everything(socket, 100)
}

/** A request that is never whole. */
async function slowBody(actor: Actor, dice: Dice): Promise<void> {
  const socket = await actor.transport.open('http/1.1')
  const length = dice.one(['content-length: 1000', 'transfer-encoding: chunked'])
  socket.write(`POST /api/v1/namespaces/fz-0/configmaps HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${length}\r\n\r\n`)
  for (let i = dice.int(4); i > 0; i--) {
    socket.write(length.startsWith('t') ? '2\r\n{"\r\n' : '{"')
    await pause(10)
  }
  await leave(socket, dice)
}

const HEADS = [
  'GET / HTTP/1.1\n\n',
  'GET / HTTP/9.9\r\n\r\n',
  'GET  /  HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n',
  'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
  'POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: 5, 6\r\n\r\nhello',
  'POST /api HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'POST /api HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n',
  'GET / HTTP/1.1\r\nhost\r\n\r\n',
  'GET /\u0000 HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET http://evil.example/api HTTP/1.1\r\nhost: x\r\n\r\n',
  'CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001',
  '\r\n\r\n\r\n',
]

async function heads(actor: Actor, dice: Dice): Promise<void> {
  const socket = await actor.transport.open(dice.chance(0.9) ? 'http/1.1' : 'h2', dice.chance(0.3))
  socket.write(dice.chance(0.2) ? dice.bytes(dice.int(300)) : dice.one(HEADS), 'latin1')
  await everything(socket, 60)
}

/** WebSocket frames and SPDY bytes, to those who speak them and those who do not. */
async function upgrades(actor: Actor, dice: Dice): Promise<void> {
  const path = dice.one([
    '/api/v1/namespaces/fz-0/pods/fz-shared-1/exec?command=ls&stdout=true',
    '/api/v1/namespaces/fz-0/pods/fz-shared-1/attach?stdout=true',
    '/api/v1/namespaces/fz-0/pods/fz-shared-1/portforward?ports=80',
    '/api/v1/namespaces/fz-0/pods/fz-shared-1/proxy/x',
    '/api/v1/namespaces/fz-0/services/fz-shared-1/proxy/',
    '/api/v1/nodes/fz-shared-1/proxy/logs',
    '/api/v1/namespaces/fz-0/pods?watch=1',
    '/api/v1/pods',
    '/nope',
  ])
  const socket = await actor.transport.open('http/1.1', dice.chance(0.1))
  const protocol = dice.one(['websocket', 'SPDY/3.1', 'h2c', 'nope', ''])
  const lines = [
    `${dice.one(['GET', 'POST'])} ${path} HTTP/1.1`,
    'host: x',
    'connection: Upgrade',
    `upgrade: ${protocol}`,
    `sec-websocket-key: ${dice.one(['dGhlIHNhbXBsZSBub25jZQ==', '', 'x'])}`,
    `sec-websocket-version: ${dice.one(['13', '8', 'x'])}`,
    `sec-websocket-protocol: ${dice.one(['v5.channel.k8s.io', 'v4.base64.channel.k8s.io', 'SPDY/3.1+portforward.k8s.io', 'nope'])}`,
    `x-stream-protocol-version: ${dice.one(['v4.channel.k8s.io', 'v5.channel.k8s.io', 'x'])}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (dice.chance(0.7)) socket.write(dice.bytes(dice.int(500)))
  await everything(socket, 60)
}

async function pipelined(actor: Actor, dice: Dice): Promise<void> {
  const socket = await actor.transport.open('http/1.1')
  const one = `GET ${dice.one(['/livez', '/api/v1/namespaces/fz-0/configmaps', '/nope', '/%zz'])} HTTP/1.1\r\nhost: x\r\n\r\n`
  socket.write(one.repeat(dice.one([5, 100])))
  if (dice.chance(0.5)) {
    await pause(dice.int(20))
    socket.destroy()
  } else await everything(socket, 60)
}

/** A watch whose client goes away without a word, or reads nothing of it. */
async function abandonedWatch(actor: Actor, dice: Dice): Promise<void> {
  const socket = await actor.transport.open('http/1.1')
  socket.pause()
  socket.write('GET /api/v1/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan HTTP/1.1\r\nhost: x\r\n\r\n')
  await leave(socket, dice)
}

async function leave(socket: TLSSocket, dice: Dice): Promise<void> {
  await pause(dice.int(30))
  if (dice.chance(0.5)) socket.destroy()
  else socket.end()
  if (!socket.destroyed) await everything(socket, 30)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
