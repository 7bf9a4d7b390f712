import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { ApiRequest } from '../types.ts'
import { HttpService } from './exchange.ts'
import { createHttp1 } from './http1.ts'
import { textResponse } from './response.ts'

let stack: AsyncDisposableStack
let port: number
let slow: PromiseWithResolvers<void>

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  slow = Promise.withResolvers()
  const service = new HttpService({
    authenticate: async () => ({ name: 'someone', groups: [] }),
    unauthenticated: () => undefined,
    async handle({ path }: ApiRequest) {
      if (path === '/slow') await slow.promise
      return textResponse(200, 'ok')
    },
    clock: new FakeClock(),
    random: seededRandom(1),
    logger: silentLogger,
  })
  const http1 = createHttp1({ service, upgrade: () => undefined, patience: { headMs: 1000, checkMs: 50 } })
  const server = createServer((socket) => void http1.emit('connection', socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  stack.defer(() => {
    slow.resolve()
    http1.close()
    server.close()
  })
})
afterEach(() => stack.disposeAsync())

async function dial(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  stack.defer(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function until(socket: Socket, text: string): Promise<string> {
  let seen = ''
  for await (const part of socket.iterator({ destroyOnReturn: false })) {
    seen += String(part)
    if (seen.includes(text)) break
  }
  return seen
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`

describe('the head of a request over HTTP/1.1', () => {
  it('is not waited for for ever: 408, and the connection ends', async () => {
    const socket = await dial()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n')
    const ended = once(socket, 'close')
    expect(await until(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 408 /)
    await ended
  })

  it('is waited for in vain without an end to answers that take longer, nor to connections between two requests', async () => {
    const answered = await dial()
    answered.write(get('/slow'))
    const idle = await dial()
    idle.write(get('/'))
    await until(idle, 'ok')
    const late = await dial()
    late.write('GET')
    await until(late, '408')

    slow.resolve()
    expect(await until(answered, 'ok')).toMatch(/^HTTP\/1\.1 200 /)
    idle.write(get('/'))
    expect(await until(idle, 'ok')).toMatch(/^HTTP\/1\.1 200 /)
  })
})
