import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ApiRequest } from '../types.ts'
import { useAgent, asked, at, text } from './testing/agent-fixture.ts'

const t = useAgent()

describe('pods/proxy and services/proxy', () => {
  let backend: http.Server
  beforeEach(async () => {
    backend = http.createServer((request, response) => {
      let body = ''
      request.on('data', (part) => (body += String(part)))
      request.on('end', () => {
        response.writeHead(203, { 'x-backend': 'yes', 'content-type': 'text/plain' })
        response.end(
          `${request.method} ${request.url} ${request.headers.authorization ?? '-'} ${String(request.headers['x-mine'] ?? '-')} ${body}`,
        )
      })
    })
    backend.listen(0, '127.0.0.1')
    await once(backend, 'listening')
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' })
    t.agent.on('upgrade', (request, socket, head: Buffer) => {
      t.seen.push(String(request.url))
      sockets.handleUpgrade(request, socket, head, (peer) => {
        const port = Number(new URL(String(request.url), 'http://x').searchParams.get('port'))
        const number = Buffer.of(port & 0xff, port >> 8)
        const say = (channel: number, data: Uint8Array) => peer.send(Buffer.concat([Buffer.of(channel), data]))
        say(0, number)
        say(1, number)
        if (port === 9) return say(1, Buffer.from('connection refused'))
        const inner = net.connect((backend.address() as AddressInfo).port, '127.0.0.1')
        peer.on('message', (data: Buffer) => inner.write(data.subarray(1)))
        inner.on('data', (part) => say(0, part))
        inner.on('error', () => peer.terminate())
        inner.on('close', () => peer.close(1000))
        peer.on('close', () => inner.destroy())
      })
    })
    t.objects.add({
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'ns' },
      spec: { nodeName: 'moth', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }] },
    })
  })
  afterEach(() => {
    backend.close()
  })
  const proxy = async (name: string, tail: string, more: Partial<ApiRequest> = {}, query = '') => {
    const { status, headers, body } = await t
      .connector('pods/proxy')
      .answer(asked(query, { path: `/x/proxy${tail}`, ...more }), at(name, tail.replace(/\/$/, '')))
    return { status, headers, text: await text(body) }
  }

  it('hand on path, query, method and body, and bring back status, headers and body', async () => {
    const headers = { authorization: 'Bearer secret', 'x-mine': '1', 'impersonate-user': 'x' }
    expect(await proxy('web', '/a/b/', { headers }, 'q=1')).toMatchObject({
      status: 203,
      headers: { 'x-backend': 'yes' },
      text: 'GET /a/b/?q=1 - 1 ',
    })
    const put = await proxy('web:http', '/a', { method: 'PUT', body: async () => Buffer.from('hello') })
    expect(put.text).toBe('PUT /a - - hello')
    expect(t.seen).toEqual(['/portForward/ns/web?port=8080', '/portForward/ns/web?port=8080'])
  })

  it('give the server itself a stream of bytes, such as TLS goes over', async () => {
    const stream = await t.connector('pods/proxy').dial?.(at('web:8080'), new AbortController().signal)
    if (!stream) throw new Error('there is no way to dial')
    expect([stream.readableObjectMode, stream.writableObjectMode]).toEqual([false, false])
    stream.write('GET /a HTTP/1.1\r\nconnection: close\r\nhost: x\r\n\r\n')
    const parts: Buffer[] = []
    for await (const part of stream) parts.push(part as Buffer)
    expect(Buffer.concat(parts).toString()).toMatch(/^HTTP\/1\.1 203 [\s\S]*GET \/a - - /)
  })

  it('choose the port that is named, and say what is wrong', async () => {
    await proxy('http:web:81', '/')
    expect(t.seen).toEqual(['/portForward/ns/web?port=81'])
    expect(await proxy('web', '')).toMatchObject({ status: 301, headers: { location: '/x/proxy/' } })
    await expect(proxy('web:nope', '/')).rejects.toMatchObject({ code: 400 })
    await expect(proxy('pending', '/')).rejects.toMatchObject({ code: 400, message: 'pod pending does not have a host assigned' })
    await expect(proxy('web:9', '/')).rejects.toMatchObject({ code: 503, message: expect.stringContaining('connection refused') as string })
  })
})

describe('nodes/proxy', () => {
  it('reads what the agent offers and hands on its answer as it is', async () => {
    t.onAgent = (_request, response) => {
      response.writeHead(418, { 'content-type': 'text/plain' })
      response.end('teapot')
    }
    const { status, body } = await t.connector('nodes/proxy').answer(asked('only_cpu=true'), {
      namespace: '',
      name: 'https:moth:10250',
      tail: '/stats/summary',
    })
    expect([status, await text(body), t.seen]).toEqual([418, 'teapot', ['kube-apiserver-kubelet-client GET /stats/summary?only_cpu=true']])
    await t.connector('nodes/proxy').answer(asked('', { method: 'PUT' }), { namespace: '', name: 'moth', tail: '/flotilla/v1/volumes/a' })
    expect(t.seen.at(-1)).toBe('kube-apiserver-kubelet-client PUT /flotilla/v1/volumes/a')
    await expect(t.connector('nodes/proxy').answer(asked('', { method: 'POST' }), at('moth'))).rejects.toMatchObject({ code: 405 })
    await expect(t.connector('nodes/proxy').answer(asked(''), at('ghost'))).rejects.toMatchObject({ code: 404 })
  })
})
