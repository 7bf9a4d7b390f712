import { connect, createServer as createNetServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createServer, type ServerHttp2Session } from 'node:http2'
import { expect, it } from 'vitest'
import { closeOf } from './http2.ts'

it('a session whose client breaks the protocol is over, and whoever waits for its end is told so without an error', async () => {
  const http2 = createServer()
  http2.on('sessionError', () => undefined)
  const server = createNetServer((socket) => void http2.emit('connection', socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const made = once(http2, 'session')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [session] = (await made) as [ServerHttp2Session]
  const errors: unknown[] = []
  session.on('error', (error) => errors.push(error))
  const closed = closeOf(session)
  client.on('error', () => undefined)
  client.write('this is no preface of HTTP/2\r\n\r\n')
  await closed
  expect(errors).toMatchObject([{ code: 'ERR_HTTP2_ERROR' }])
  client.destroy()
  server.close()
})
