/** The relay on this machine's loopback, before a server that stands for the control plane. */
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock as clock } from '../../electron/base/clock.ts'
import { silentLogger as logger } from '../../electron/base/logger.ts'
import { createApiRelay, type ApiRelay } from '../../electron/agent/net/api-relay.ts'

let stack: AsyncDisposableStack
let portFile: string

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-relay-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  portFile = join(dir, 'link', 'api-port')
})
afterEach(() => stack.disposeAsync())

/** A server that does `talk` with each client. */
async function serve(talk: (socket: Socket) => void, port = 0): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** As the control plane does on each connection: whole, by renaming. */
async function announce(port: number): Promise<void> {
  await mkdir(join(portFile, '..'), { recursive: true })
  await writeFile(`${portFile}.new`, `${port}\n`)
  await rename(`${portFile}.new`, portFile)
}

async function relay(port: number): Promise<ApiRelay> {
  const made = stack.use(createApiRelay({ address: '127.0.0.1', port, portFile, clock, logger }))
  await made.start()
  return made
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function dial(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  stack.defer(() => void socket.destroy())
  return socket
}

/** "end", or the code of the error. */
async function howItEnds(socket: Socket): Promise<string> {
  try {
    await once(socket.resume(), 'close')
    return 'end'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error'
  }
}

describe('the relay', () => {
  it('hands on many bytes both ways, and each side’s end by itself', async () => {
    await announce(await serve((socket) => void text(socket).then((said) => socket.end(`${said.length} `.repeat(1_000_000)))))
    const port = await freePort()
    await relay(port)
    const socket = dial(port)
    socket.end('x'.repeat(5_000_000))
    const answer = await text(socket)
    expect(answer).toHaveLength(8_000_000)
    expect(answer.startsWith('5000000 ')).toBe(true)
  })

  it('starts without a port, refuses at once, and goes to the port that is announced', async () => {
    const port = await freePort()
    await relay(port)
    expect(await howItEnds(dial(port))).toBe('ECONNRESET')
    await announce(await serve((socket) => socket.end('here')))
    expect(await text(dial(port))).toBe('here')
  })

  it('refuses where nothing answers behind the port', async () => {
    await announce(await freePort())
    const port = await freePort()
    await relay(port)
    expect(await howItEnds(dial(port))).toBe('ECONNRESET')
  })

  it('ends the connections of an earlier port, which lead nowhere', async () => {
    await announce(await serve((socket) => socket.write('first')))
    const port = await freePort()
    const one = await relay(port)
    const socket = dial(port)
    await once(socket, 'data')
    expect(one.connections).toBe(1)
    await announce(await serve((socket) => socket.end('second')))
    expect(await howItEnds(socket)).toBe('ECONNRESET')
    expect(await text(dial(port).end())).toBe('second')
    await expect.poll(() => one.connections).toBe(0)
  })

  it('tells each time when the control plane has connected anew, behind the same port too', async () => {
    const upstream = await serve((socket) => socket.end('here'))
    await announce(await freePort())
    const port = await freePort()
    const one = await relay(port)
    let told = 0
    one.reconnected.on(() => told++)
    await announce(upstream)
    await expect.poll(() => told).toBe(1)
    await announce(upstream)
    await expect.poll(() => told).toBe(2)
    expect(await text(dial(port))).toBe('here')
    expect(told).toBe(2)
  })

  it('tells when the port answers again, once', async () => {
    const upstream = await freePort()
    await announce(upstream)
    const port = await freePort()
    const one = await relay(port)
    let told = 0
    one.reconnected.on(() => told++)
    expect(await howItEnds(dial(port))).toBe('ECONNRESET')
    await serve((socket) => socket.end('back'), upstream)
    expect([await text(dial(port)), await text(dial(port)), told]).toEqual(['back', 'back', 1])
  })

  it('tells the client when the server breaks the connection', async () => {
    await announce(await serve((socket) => socket.once('data', () => socket.resetAndDestroy())))
    const port = await freePort()
    await relay(port)
    const socket = dial(port)
    socket.write('who')
    expect(await howItEnds(socket)).toBe('ECONNRESET')
  })

  it('says so while another program has its port', async () => {
    const port = await serve((socket) => socket.end())
    const one = await relay(port)
    expect(one.problems.map(({ reason }) => reason)).toEqual(['ApiRelayPortInUse'])
  })

  it('leaves nothing open when it ends', async () => {
    await announce(await serve((socket) => socket.write('first')))
    const port = await freePort()
    const one = await relay(port)
    const socket = dial(port)
    await once(socket, 'data')
    await one[Symbol.asyncDispose]()
    expect(await howItEnds(socket)).toBe('ECONNRESET')
    expect(await howItEnds(dial(port))).toBe('ECONNREFUSED')
  })
})
