import { createServer as createHttpServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../base/clock.ts'
import { container } from '../../testing/pods.ts'
import { httpRequestOf, probeHttp } from './http-probe.ts'
import { probeGrpc, probeTcp } from './network-probes.ts'

const never = new AbortController().signal
let server: Server
let port: number
let seen: Record<string, string | string[] | undefined> = {}

beforeAll(async () => {
  server = createHttpServer((request, response) => {
    seen = request.headers
    const url = request.url ?? '/'
    if (url === '/slow') return
    if (url === '/reset') return void request.socket.destroy()
    if (url === '/away') return void response.writeHead(302, { location: 'http://elsewhere.invalid/' }).end('moved')
    if (url === '/again') return void response.writeHead(302, { location: '/ok' }).end()
    if (url === '/loop') return void response.writeHead(302, { location: '/loop' }).end()
    response.writeHead(url === '/ok' ? 200 : 503).end('said')
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const get = async (path: string, timeout = 2000) => {
  const request = httpRequestOf({ path, port }, container({ name: 'main' }), '127.0.0.1', 'kube-probe/1.36')
  if (!request) throw new Error('no request')
  return probeHttp(request, timeout, systemClock, never)
}

describe('httpGet', () => {
  it('succeeds below 400, follows to the same host, and warns of another', async () => {
    expect(await get('/ok')).toEqual({ outcome: 'success', output: 'said' })
    expect(await get('/again')).toMatchObject({ outcome: 'success' })
    expect(await get('/away')).toEqual({ outcome: 'warning', output: 'Probe terminated redirects, Response body: moved' })
    expect(await get('/loop')).toMatchObject({
      outcome: 'failure',
      output: expect.stringContaining('stopped after 10 redirects') as string,
    })
  })

  it('tells why it failed, in the words that people search for', async () => {
    expect(await get('/bad')).toEqual({ outcome: 'failure', output: 'HTTP probe failed with statuscode: 503' })
    expect((await get('/slow', 100)).output).toBe(
      `Get "http://127.0.0.1:${port}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    )
    expect((await get('/reset')).output).toBe(`Get "http://127.0.0.1:${port}/reset": EOF`)
    const closed = httpRequestOf({ port: 1 }, container({ name: 'main' }), '127.0.0.1', 'x')
    if (!closed) throw new Error('no request')
    expect((await probeHttp(closed, 1000, systemClock, never)).output).toBe(
      'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    )
  })

  it('sends the headers of the pod, and finds ports by name', async () => {
    const httpHeaders = [
      { name: 'Host', value: 'web.example' },
      { name: 'X-A', value: '1' },
      { name: 'X-A', value: '2' },
      { name: 'Accept', value: '' },
    ]
    const named = container({ name: 'main', ports: [{ name: 'web', containerPort: port, protocol: 'TCP' }] })
    const request = httpRequestOf({ path: 'ok', port: 'web', httpHeaders }, named, '127.0.0.1', 'kube-probe/1.36')
    if (!request) throw new Error('no request')
    expect(await probeHttp(request, 1000, systemClock, never)).toMatchObject({ outcome: 'success' })
    expect(seen).toMatchObject({ host: 'web.example', 'x-a': '1, 2', 'user-agent': 'kube-probe/1.36' })
    expect(seen['accept']).toBeUndefined()
    expect(httpRequestOf({ port: 'nope' }, named, '127.0.0.1', 'x')).toBeNull()
  })
})

describe('tcpSocket and grpc', () => {
  it('take an open port for healthy, and say what a closed one did', async () => {
    expect(await probeTcp('127.0.0.1', port, 1000, systemClock, never)).toMatchObject({ outcome: 'success' })
    expect(await probeTcp('127.0.0.1', 1, 1000, systemClock, never)).toEqual({
      outcome: 'failure',
      output: 'dial tcp 127.0.0.1:1: connect: connection refused',
    })
  })

  it('fail where no gRPC is spoken in time', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', () => resolve()))
    const at = (silent.address() as AddressInfo).port
    const answer = await probeGrpc('127.0.0.1', at, '', 300, systemClock, never)
    expect(answer).toEqual({
      outcome: 'failure',
      output: `timeout: failed to connect service "127.0.0.1:${at}" within 0.3s: context deadline exceeded`,
    })
    silent.close()
  })
})
