import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http2 from 'node:http2'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocketServer } from 'ws'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pod } from '../api/core/v1/pod.ts'
import { defineKind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { createPki, type Pki } from '../apiserver/pki/pki.ts'
import { systemClock } from '../base/clock.ts'
import { FakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { readBody } from './bytes.ts'
import { createRemoteClient, type RemoteClient, type RemoteClientOptions } from './remote-client.ts'

interface Thing extends KubeObject {
  spec?: { size: number }
}
const things = defineKind<Thing>({
  group: 'test.example',
  version: 'v1',
  kind: 'Thing',
  resource: 'things',
  model: 'Thing',
  namespaced: true,
})

const thing = (name: string, size = 1) => ({
  apiVersion: 'test.example/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { size },
})
const status = (code: number, reason: string, message = reason) =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })

let dir: string
let pki: Pki
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-client-'))
  pki = createPki({
    dir: join(dir, 'pki'),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    clusterDomain: 'cluster.local',
    serviceAddress: '10.96.0.1',
  })
  await pki.start()
})
afterAll(async () => {
  await pki[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

type Handler = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse, body: string) => void
let server: http2.Http2SecureServer
let sockets: Set<Socket>
let connections: number
let handler: Handler
let url: string
const stack: AsyncDisposable[] = []

beforeEach(async () => {
  connections = 0
  sockets = new Set()
  server = http2.createSecureServer({
    ...pki.serving.current,
    ca: pki.caPem,
    requestCert: true,
    rejectUnauthorized: false,
    allowHTTP1: true,
    maxSessionMemory: 1000,
  })
  server.on('request', (request, response) => {
    let body = ''
    request.on('data', (part) => (body += String(part)))
    request.on('end', () => handler(request, response, body))
  })
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  for (const part of stack.splice(0)) await part[Symbol.asyncDispose]()
  for (const socket of sockets) socket.destroy()
  server.close()
})

function client(options: Partial<RemoteClientOptions> = {}): RemoteClient {
  const made = createRemoteClient({ server: url, ca: pki.caPem, clock: systemClock, ...options })
  stack.push(made)
  return made
}
const json = (response: http2.Http2ServerResponse, code: number, body: string, headers = {}) => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(body)
}

describe('typed calls', () => {
  it('spell paths, queries and bodies as Kubernetes does, over one connection', async () => {
    const seen: string[] = []
    handler = (request, response, body) => {
      seen.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${body}`.trim())
      if (request.method === 'GET' && !request.url.includes('/things/'))
        json(response, 200, JSON.stringify({ metadata: { resourceVersion: '9' }, items: [{ metadata: { name: 'a' } }] }))
      else if (request.method === 'DELETE') json(response, 200, status(200, 'x'))
      else json(response, 200, JSON.stringify(thing('a')))
    }
    const c = client()
    const at = { namespace: 'default', name: 'a' }
    await c.get(things, at)
    const list = await c.list(things, { labelSelector: 'a in (b,c)', limit: 5 })
    await c.create(things, { metadata: { name: 'a', namespace: 'default' }, spec: { size: 2 } }, { dryRun: true, fieldManager: 'me' })
    await c.update(things, thing('a'), { subresource: 'status' })
    await c.patch(things, at, { type: 'apply', body: { a: 1 }, force: true }, { fieldManager: 'me' })
    await c.patch(things, at, { type: 'json', body: [] })
    expect(await c.delete(things, at, { gracePeriodSeconds: 0 })).toBeNull()
    await c.deleteCollection(things, { namespace: 'default', labelSelector: 'x=y' })
    expect(list.items[0]).toMatchObject({ apiVersion: 'test.example/v1', kind: 'Thing', metadata: { name: 'a' } })
    const root = '/apis/test.example/v1/namespaces/default/things'
    const whole = JSON.stringify(thing('a'))
    expect(seen).toEqual([
      `GET ${root}/a`,
      'GET /apis/test.example/v1/things?labelSelector=a+in+%28b%2Cc%29&limit=5',
      `POST ${root}?fieldManager=me&dryRun=All application/json {"apiVersion":"test.example/v1","kind":"Thing","metadata":{"name":"a","namespace":"default"},"spec":{"size":2}}`,
      `PUT ${root}/a/status application/json ${whole}`,
      `PATCH ${root}/a?fieldManager=me&force=true application/apply-patch+yaml {"a":1}`,
      `PATCH ${root}/a application/json-patch+json []`,
      `DELETE ${root}/a application/json {"gracePeriodSeconds":0,"apiVersion":"v1","kind":"DeleteOptions"}`,
      `DELETE ${root}?labelSelector=x%3Dy`,
    ])
    expect(connections).toBe(1)
  })

  it('hand out frozen objects', async () => {
    handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    const object = await client().get(things, { namespace: 'default', name: 'a' })
    expect(() => {
      if (object.spec) object.spec.size = 2
    }).toThrow(TypeError)
  })

  it('hand out objects with the defaults of their schema, and what they do not know as it is', async () => {
    handler = (_request, response) =>
      json(
        response,
        200,
        JSON.stringify({ kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', ports: [{ containerPort: 1 }] }] } }),
      )
    const c = client()
    const object = await c.get(pod, { namespace: 'default', name: 'p' })
    expect([object.status, object.spec.containers[0]?.ports?.[0]?.protocol]).toEqual([{}, 'TCP'])
    handler = (_request, response) => json(response, 200, JSON.stringify({ kind: 'Scale', spec: { replicas: 2 } }))
    expect(await c.get(pod, { namespace: 'default', name: 'p' }, { subresource: 'scale' })).toEqual({
      kind: 'Scale',
      spec: { replicas: 2 },
    })
  })

  it("throw the server's Status, and make one of an answer without", async () => {
    handler = (_request, response) => json(response, 404, status(404, 'NotFound', 'things "a" not found'))
    const c = client()
    await expect(c.get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'things "a" not found',
    })
    handler = (_request, response) => json(response, 502, 'bad gateway')
    await expect(c.get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      code: 502,
      message: expect.stringContaining('bad gateway') as string,
    })
  })

  it('refuse a namespaced object without namespace before anything is sent', async () => {
    await expect(client().get(things, { name: 'a' })).rejects.toMatchObject({ reason: 'BadRequest' })
    expect(connections).toBe(0)
  })

  it('try again after Retry-After, with the same body', async () => {
    const bodies: string[] = []
    handler = (_request, response, body) => {
      bodies.push(body)
      if (bodies.length < 3) json(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '0' })
      else json(response, 201, JSON.stringify(thing('a')))
    }
    await client().create(things, thing('a'))
    expect(bodies).toEqual([bodies[0], bodies[0], bodies[0]])
    expect(bodies[0]).toContain('"size":1')
  })

  it('give up with the reason of an aborted signal, and with 503 after the time for an answer', async () => {
    handler = () => undefined
    const abort = new AbortController()
    const waiting = client().get(things, { namespace: 'default', name: 'a' }, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(client({ requestTimeout: 50 }).get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      code: 503,
      message: expect.stringContaining('no answer within 0.05 s') as string,
    })
  })
})

describe('connections', () => {
  it('are made again after they broke; a read under way is repeated, a write is not', async () => {
    let calls = 0
    handler = (_request, response) => {
      if (++calls % 2 === 1) for (const socket of sockets) socket.destroy()
      else json(response, 200, JSON.stringify(thing('a')))
    }
    const c = client()
    await expect(c.get(things, { namespace: 'default', name: 'a' })).resolves.toMatchObject({ metadata: { name: 'a' } })
    expect(calls).toBe(2)
    await expect(c.create(things, thing('a'))).rejects.toMatchObject({ code: 503 })
    expect(calls).toBe(3)
    expect(connections).toBe(2)
  })

  it('name the server that cannot be reached, and come up when it does', async () => {
    const port = Number(new URL(url).port)
    server.close()
    await once(server, 'close')
    const c = client()
    await expect(c.get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringMatching(new RegExp(`127.0.0.1:${port}.*ECONNREFUSED`)) as string,
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    await c.get(things, { namespace: 'default', name: 'a' })
  })

  it('refuse a server whose certificate another authority signed, or that has another name', async () => {
    await using other = createPki({
      dir: join(dir, 'other'),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      clusterDomain: 'x',
      serviceAddress: '10.0.0.1',
    })
    await other.start()
    await expect(client({ ca: other.caPem }).get(things, { namespace: 'd', name: 'a' })).rejects.toMatchObject({
      code: 503,
      message: expect.stringMatching(/certificate/) as string,
    })
    await expect(client({ servername: 'elsewhere.example' }).get(things, { namespace: 'd', name: 'a' })).rejects.toMatchObject({
      message: expect.stringContaining('elsewhere.example') as string,
    })
    handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    await client({ servername: 'kubernetes.default.svc' }).get(things, { namespace: 'default', name: 'a' })
  })

  it('say by a Status that a certificate cannot be read, and go on once it can', async () => {
    handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    let certificate = { cert: 'nonsense', key: 'nonsense' }
    const c = client({ identity: () => ({ certificate }) })
    await expect(c.get(things, { namespace: 'd', name: 'a' })).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    await expect(c.websocket({ path: '/x', protocols: ['a'] })).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    certificate = await pki.issueClient({ commonName: 'x' })
    await c.get(things, { namespace: 'd', name: 'a' })
  })

  it('carry the identity of the moment: a rotated token at once, a rotated certificate on a new connection', async () => {
    const seen: string[] = []
    handler = (request, response) => {
      const { socket } = request.stream.session as { socket: TLSSocket }
      const { authorization, 'impersonate-user': user } = request.headers
      seen.push(`${String(socket.getPeerCertificate().subject.CN)} ${String(authorization)} ${String(user)}`)
      json(response, 200, JSON.stringify(thing('a')))
    }
    let identity = { certificate: await pki.issueClient({ commonName: 'one' }), token: 't1' }
    const c = client({ identity: () => identity, impersonate: { user: 'jane' } })
    const get = () => c.get(things, { namespace: 'default', name: 'a' })
    await get()
    identity = { ...identity, token: 't2' }
    await get()
    identity = { certificate: await pki.issueClient({ commonName: 'two' }), token: 't2' }
    await get()
    expect(seen).toEqual(['one Bearer t1 jane', 'one Bearer t2 jane', 'two Bearer t2 jane'])
    expect(connections).toBe(2)
  })

  it('that go silent are given up, so that a watch notices', async () => {
    const clock = new FakeClock()
    handler = (_request, response) => {
      response.writeHead(200)
      response.write('')
    }
    const ends: Socket[] = []
    const relay = createServer((near) => {
      const far = connect(Number(new URL(url).port), '127.0.0.1')
      ends.push(
        near.on('data', (part) => far.write(part)),
        far.on('data', (part) => near.write(part)),
      )
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    const c = client({ clock, server: `https://127.0.0.1:${(relay.address() as AddressInfo).port}` })
    const opened = Promise.withResolvers<void>()
    const next = c.watch(things, { onOpen: opened.resolve })[Symbol.asyncIterator]().next()
    next.catch(() => undefined)
    await opened.promise
    for (const socket of ends) socket.pause()
    await clock.advance(31_000)
    await expect(next).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringContaining('no sign of life') as string,
    })
    for (const socket of ends) socket.destroy()
    relay.close()
  })
})

describe('a watch', () => {
  const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`

  it('gives events split anywhere, says when it is open, and ends when the server ends it', async () => {
    handler = (request, response) => {
      expect(request.url).toContain('watch=true&resourceVersion=5&allowWatchBookmarks=true')
      const bytes = Buffer.from(event('ADDED', thing('ä')) + event('BOOKMARK', { kind: 'Thing', metadata: { resourceVersion: '7' } }))
      response.writeHead(200)
      let at = 0
      const step = () => {
        if (at >= bytes.length) return void response.end()
        response.write(bytes.subarray(at, (at += 41)), step)
      }
      step()
    }
    let open = 0
    const seen: string[] = []
    for await (const { type, object } of client().watch(things, { resourceVersion: '5', allowWatchBookmarks: true, onOpen: () => open++ }))
      seen.push(`${open} ${type} ${object.metadata.name ?? ''} ${object.metadata.resourceVersion}`)
    expect(seen).toEqual(['1 ADDED ä 1', '1 BOOKMARK  7'])
  })

  it('throws what the server says in an ERROR event, or before the watch began', async () => {
    handler = (_request, response) => {
      response.writeHead(200)
      response.end(event('ERROR', JSON.parse(status(410, 'Expired'))))
    }
    const c = client()
    const drain = async () => {
      for await (const _ of c.watch(things)) expect.unreachable()
    }
    await expect(drain()).rejects.toMatchObject({ reason: 'Expired' })
    handler = (_request, response) => json(response, 403, status(403, 'Forbidden'))
    await expect(drain()).rejects.toMatchObject({ reason: 'Forbidden' })
  })

  it('throws 503 when its connection breaks, and frees the stream when its reader leaves', async () => {
    const closed = Promise.withResolvers<void>()
    handler = (_request, response) => {
      response.stream.on('close', () => closed.resolve())
      response.writeHead(200)
      response.write(event('ADDED', thing('a')))
    }
    const c = client()
    for await (const _ of c.watch(things)) break
    await closed.promise
    const drain = async () => {
      for await (const _ of c.watch(things)) for (const socket of sockets) socket.destroy()
    }
    await expect(drain()).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
  })

  it('that is not read does not hold up other calls', async () => {
    const line = event('ADDED', { ...thing('a'), pad: 'x'.repeat(1 << 16) })
    handler = (request, response) => {
      if (!request.url.includes('watch')) return json(response, 200, JSON.stringify(thing('b')))
      response.writeHead(200)
      for (let i = 0; i < 256; i++) response.write(line)
    }
    const c = client()
    const watch = c.watch(things)[Symbol.asyncIterator]()
    await watch.next()
    expect((await c.get(things, { namespace: 'default', name: 'b' })).metadata.name).toBe('b')
    await watch.return?.()
  })
})

describe('raw requests', () => {
  it('return a refusal instead of throwing it', async () => {
    handler = (_request, response) => json(response, 403, status(403, 'Forbidden'), { 'x-a': 'b' })
    const response = await client().request({ method: 'GET', path: '/logs', query: { a: ['1', '2'], b: undefined } })
    expect(response.status).toBe(403)
    expect(response.headers['x-a']).toBe('b')
    expect((await readBody(response)).toString()).toContain('Forbidden')
  })
})

describe('a WebSocket', () => {
  it('carries messages both ways, ends with the peer, and shows the protocol that was chosen', async () => {
    const ws = new WebSocketServer({ noServer: true, handleProtocols: (names) => [...names].at(-1) ?? false })
    server.on('upgrade', (request, socket, head) =>
      ws.handleUpgrade(request, socket, head, (peer) =>
        peer.on('message', (data: Buffer) => {
          peer.send(data)
          if (data[1] === 9) peer.close()
        }),
      ),
    )
    const socket = await client().websocket({
      path: '/api/v1/exec',
      query: { command: ['a', 'b'] },
      protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    })
    expect(socket.protocol).toBe('v4.channel.k8s.io')
    await socket.send(Uint8Array.of(0, 1))
    await socket.send(Uint8Array.of(0, 9))
    const seen: number[][] = []
    for await (const message of socket.messages) seen.push([...message])
    expect(seen).toEqual([
      [0, 1],
      [0, 9],
    ])
    await socket[Symbol.asyncDispose]()
  })

  it("throws the server's Status when the upgrade is refused", async () => {
    handler = (_request, response) => json(response, 404, status(404, 'NotFound', 'pods "x" not found'))
    server.on('upgrade', (_request, socket: Socket) =>
      socket.end(
        `HTTP/1.1 404 Not Found\r\ncontent-length: ${status(404, 'NotFound', 'pods "x" not found').length}\r\n\r\n${status(404, 'NotFound', 'pods "x" not found')}`,
      ),
    )
    await expect(client().websocket({ path: '/x', protocols: ['v5.channel.k8s.io'] })).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'pods "x" not found',
    })
  })
})
