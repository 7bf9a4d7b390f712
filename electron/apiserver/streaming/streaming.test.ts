import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { ObjectsClient } from '../../client/testing/objects-client.ts'
import { unavailable } from '../../machinery/status.ts'
import { generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../pki/certificate.ts'
import { createPki, type Pki } from '../pki/pki.ts'
import { openState } from '../pki/state.ts'
import type { ApiRequest, Connector, NodeDialer } from '../types.ts'
import { createConnectors } from './streaming.ts'

let dir: string
let pki: Pki
let agentPair: { cert: string; key: string }
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-streaming-'))
  pki = createPki({
    dir: join(dir, 'pki'),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    clusterDomain: 'x',
    serviceAddress: '10.0.0.1',
  })
  await pki.start()
  const { authority } = await openState({ dir: join(dir, 'pki'), clock: systemClock, random: systemRandom })
  const keys = await generateKeys()
  const now = Date.now()
  const options = {
    subject: { commonName: 'system:node:moth' },
    publicKey: keys.publicKey,
    notBefore: now - 1000,
    notAfter: now + 600_000,
    usages: SERVER_AUTH,
    names: ['moth'],
  }
  agentPair = { cert: await issue(authority, options, systemRandom), key: await privateKeyPem(keys.privateKey) }
})
afterAll(async () => {
  await pki[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

let objects: ObjectsClient
let agent: https.Server
let onAgent: http.RequestListener
let seen: string[]
let dialed: Set<Duplex>
let dialError: Error | null
let connectors: Readonly<Record<string, Connector>>
let api: http.Server
let front: Set<Socket>
beforeEach(async () => {
  seen = []
  dialError = null
  dialed = new Set()
  front = new Set()
  agent = https.createServer({ ...agentPair, ca: pki.caPem, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    seen.push(`${(request.socket as TLSSocket).getPeerCertificate().subject.CN as string} ${request.method} ${request.url}`)
    onAgent(request, response)
  })
  agent.listen(0, '127.0.0.1')
  await once(agent, 'listening')
  const dialer: NodeDialer = {
    async dial(node, port) {
      if (dialError) throw dialError
      expect([node, port]).toEqual(['moth', 12345])
      const socket = net.connect((agent.address() as AddressInfo).port, '127.0.0.1')
      await once(socket, 'connect')
      dialed.add(socket)
      socket.once('close', () => dialed.delete(socket))
      return socket
    },
  }
  objects = new ObjectsClient()
  objects.add({ kind: 'Node', metadata: { name: 'moth' }, status: { daemonEndpoints: { kubeletEndpoint: { Port: 12345 } } } })
  objects.add({ kind: 'Pod', metadata: { name: 'p', namespace: 'ns' }, spec: { nodeName: 'moth', containers: [{ name: 'c' }] } })
  objects.add({
    kind: 'Pod',
    metadata: { name: 'two', namespace: 'ns' },
    spec: { nodeName: 'moth', containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] },
  })
  objects.add({ kind: 'Pod', metadata: { name: 'pending', namespace: 'ns' }, spec: { containers: [{ name: 'c' }] } })
  connectors = createConnectors({
    client: objects.client,
    dialer,
    caPem: pki.caPem,
    identity: () => pki.kubeletClient.current,
    clock: systemClock,
    random: systemRandom,
  })
  api = http.createServer()
  api.on('connection', (socket: Socket) => front.add(socket))
  api.on('upgrade', (request, socket, head: Buffer) => {
    const url = new URL(String(request.url), 'http://x')
    const [key = '', name = ''] = url.pathname.slice(1).split('=')
    void connector(key).upgrade(
      asked(url.search, { headers: request.headers as Record<string, string>, method: request.method ?? 'GET' }),
      { namespace: 'ns', name, tail: '' },
      socket,
      head,
    )
  })
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
})
afterEach(() => {
  agent.closeAllConnections()
  agent.close()
  for (const socket of [...front, ...dialed]) socket.destroy()
  api.close()
})

const connector = (key: string): Connector => {
  const found = connectors[key]
  if (!found) throw new Error(`no connector ${key}`)
  return found
}
const asked = (query: string, more: Partial<ApiRequest> = {}): ApiRequest => ({
  method: 'GET',
  path: '/',
  query: new URLSearchParams(query),
  headers: {},
  body: async () => Buffer.alloc(0),
  user: { name: 'x', groups: [] },
  signal: new AbortController().signal,
  ...more,
})
const at = (name: string, tail = '') => ({ namespace: 'ns', name, tail })
const text = async (body: Uint8Array | AsyncIterable<Uint8Array>) => {
  if (body instanceof Uint8Array) return Buffer.from(body).toString()
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString()
}
const upgradeUrl = (key: string, name: string, query = '') => `ws://127.0.0.1:${(api.address() as AddressInfo).port}/${key}=${name}${query}`

describe('pods/log', () => {
  const log = (name: string, query = '', more: Partial<ApiRequest> = {}) => connector('pods/log').answer(asked(query, more), at(name))

  it('asks the agent with every parameter, as the API server, and streams what it says', async () => {
    onAgent = (_request, response) => {
      response.write('one\n')
      response.end('two\n')
    }
    const query =
      'container=c&follow=true&previous=true&sinceSeconds=5&timestamps=true&tailLines=0&limitBytes=9&stream=Stderr&insecureSkipTLSVerifyBackend=true'
    const { status, headers, body } = await log('p', query)
    expect([status, headers['content-type'], await text(body)]).toEqual([200, 'text/plain', 'one\ntwo\n'])
    expect(seen).toEqual([
      'kube-apiserver-kubelet-client GET /containerLogs/ns/p/c?follow=true&previous=true&sinceSeconds=5&timestamps=true&tailLines=0&limitBytes=9&stream=Stderr',
    ])
  })

  it('speaks as upstream of containers, of parameters, of waiting, and of pods that are nowhere', async () => {
    await expect(log('two')).rejects.toMatchObject({
      code: 400,
      message: 'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]',
    })
    await expect(log('p', 'container=z')).rejects.toMatchObject({ code: 400, message: 'container z is not valid for pod p' })
    await expect(log('ghost')).rejects.toMatchObject({ code: 404 })
    await expect(log('p', 'tailLines=-1')).rejects.toMatchObject({
      code: 422,
      message: 'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    })
    await expect(log('p', 'tailLines=x')).rejects.toMatchObject({ code: 400 })
    await expect(log('p', 'sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z')).rejects.toMatchObject({ code: 422 })
    expect(await text((await log('pending')).body)).toBe('')
    onAgent = (_request, response) => {
      response.statusCode = 400
      response.end('container "c" in pod "p" is waiting to start: ContainerCreating\n')
    }
    await expect(log('p')).rejects.toMatchObject({
      reason: 'BadRequest',
      message: 'container "c" in pod "p" is waiting to start: ContainerCreating',
    })
  })

  it('ends at the agent when the client goes away', async () => {
    const closed = Promise.withResolvers<void>()
    onAgent = (request, response) => {
      request.on('close', () => closed.resolve())
      response.write('one\n')
    }
    const abort = new AbortController()
    const { body } = await log('p', 'follow=true', { signal: abort.signal })
    for await (const _ of body as AsyncIterable<Uint8Array>) break
    await closed.promise
    const second = await log('p', 'follow=true', { signal: abort.signal })
    abort.abort()
    await expect(text(second.body)).rejects.toThrow()
    await expect.poll(() => dialed.size).toBe(0)
  })

  it('says which node cannot be reached, and does not believe an agent with another name', async () => {
    dialError = unavailable('node moth has no link')
    await expect(log('p')).rejects.toMatchObject({ code: 503, message: 'node moth has no link' })
    dialError = new Error('connect ECONNREFUSED')
    await expect(log('p')).rejects.toMatchObject({ code: 503, message: 'the agent of node "moth" cannot be reached: connect ECONNREFUSED' })
    dialError = null
    agent.setSecureContext({ ...pki.serving.current, ca: pki.caPem })
    await expect(log('p')).rejects.toMatchObject({ code: 503, message: expect.stringContaining('moth') as string })
    expect(seen).toEqual([])
  })

  it('can be read over a WebSocket', async () => {
    onAgent = (_request, response) => response.end('hello')
    const socket = new WebSocket(upgradeUrl('pods/log', 'p'), ['binary.k8s.io'])
    const parts: Buffer[] = []
    socket.on('message', (part: Buffer) => parts.push(part))
    await once(socket, 'close')
    expect(Buffer.concat(parts).toString()).toBe('hello')
  })
})

describe('exec, attach and port-forward', () => {
  let agentSockets: WebSocket[]
  beforeEach(() => {
    agentSockets = []
    const server = new WebSocketServer({ noServer: true, handleProtocols: (names) => [...names][0] ?? false })
    agent.on('upgrade', (request, socket, head: Buffer) => {
      seen.push(`${String(request.method)} ${String(request.url)} ${String(request.headers['sec-websocket-protocol'])}`)
      server.handleUpgrade(request, socket, head, (peer) => {
        agentSockets.push(peer)
        peer.on('message', (data: Buffer) => peer.send(data))
      })
    })
  })

  it.each([
    [
      'pods/exec',
      '?container=c&command=sh&command=-c&stdin=true&stdout=true&stderr=true&tty=true',
      '/exec/ns/p/c?input=1&output=1&error=1&tty=1&command=sh&command=-c',
    ],
    ['pods/attach', '?stdout=true', '/attach/ns/p/c?output=1'],
    ['pods/portforward', '?ports=80,81', '/portForward/ns/p?port=80&port=81'],
  ])('%s is relayed to the agent, which chooses the protocol', async (key, query, path) => {
    const protocols = ['base64url.bearer.authorization.k8s.io.c2VjcmV0', 'v5.channel.k8s.io', 'v4.channel.k8s.io']
    const socket = new WebSocket(upgradeUrl(key, 'p', query), protocols)
    await once(socket, 'open')
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    expect(seen).toEqual([`GET ${path} v5.channel.k8s.io,v4.channel.k8s.io`].map((line) => line.replace(',v4', ', v4')))
    const big = Buffer.alloc(3 << 20, 7)
    socket.send(big)
    const [back] = (await once(socket, 'message')) as [Buffer]
    expect(back.equals(big)).toBe(true)
    socket.close(1000)
    await once(socket, 'close')
    await expect.poll(() => dialed.size).toBe(0)
  })

  it('either side that vanishes ends the other', async () => {
    const one = new WebSocket(upgradeUrl('pods/attach', 'p', '?stdout=true'))
    await once(one, 'open')
    one.terminate()
    await expect.poll(() => dialed.size).toBe(0)
    const two = new WebSocket(upgradeUrl('pods/attach', 'p', '?stdout=true'))
    two.on('error', () => undefined)
    await once(two, 'open')
    agentSockets[1]?.terminate()
    await once(two, 'close')
  })

  it('a reader that does not read holds up the writer, not memory', async () => {
    const socket = new WebSocket(upgradeUrl('pods/attach', 'p', '?stdout=true'))
    await once(socket, 'open')
    socket.pause()
    const [peer] = agentSockets
    let sent = 0
    const part = Buffer.alloc(1 << 20)
    const flood = (error?: Error | null) => {
      if (error || sent >= 256) return
      sent++
      peer?.send(part, flood)
    }
    flood()
    let before = -1
    await expect
      .poll(
        () => {
          const still = before === sent
          before = sent
          return still
        },
        { interval: 100 },
      )
      .toBe(true)
    expect(sent).toBeLessThan(64)
    socket.terminate()
  })

  it('a refusal is a Status: of the pod, of the parameters, of the agent', async () => {
    const refusal = async (key: string, name: string, query: string) => {
      const socket = new WebSocket(upgradeUrl(key, name, query))
      socket.on('error', () => undefined)
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, http.IncomingMessage]
      const status = JSON.parse(await text(response)) as { code: number; message: string }
      return `${response.statusCode} ${status.code} ${status.message}`
    }
    expect(await refusal('pods/exec', 'pending', '?command=a&stdout=1')).toBe('400 400 pod pending does not have a host assigned')
    expect(await refusal('pods/exec', 'p', '?command=a')).toBe('400 400 you must specify at least 1 of stdin, stdout, stderr')
    expect(await refusal('pods/exec', 'p', '?stdout=1')).toBe('400 400 you must specify at least one command for the container')
    agent.removeAllListeners('upgrade')
    agent.on('upgrade', (_request, socket: Socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 20\r\n\r\nSPDY is not spoken  '),
    )
    expect(await refusal('pods/exec', 'p', '?command=a&stdout=1')).toBe('403 403 SPDY is not spoken')
  })

  it('without an upgrade is a bad request', async () => {
    await expect(connector('pods/exec').answer(asked('command=a&stdout=1'), at('p'))).rejects.toMatchObject({
      code: 400,
      message: 'Upgrade request required',
    })
  })

  it('are there for the in-process client too', async () => {
    const socket = await connector('pods/exec').open(asked('command=a&stdin=1'), at('p'), ['v5.channel.k8s.io'])
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    await socket.send(Uint8Array.of(0, 104))
    const reader = socket.messages[Symbol.asyncIterator]()
    expect([...((await reader.next()).value as Uint8Array)]).toEqual([0, 104])
    agentSockets[0]?.close(1000)
    expect((await reader.next()).done).toBe(true)
    agent.removeAllListeners('upgrade')
    agent.on('upgrade', (_request, refused: Socket) => refused.end('HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\nno such'))
    await expect(connector('pods/exec').open(asked('command=a&stdin=1'), at('p'), ['x'])).rejects.toMatchObject({
      code: 404,
      message: 'no such',
    })
  })
})

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
    agent.on('upgrade', (request, socket, head: Buffer) => {
      seen.push(String(request.url))
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
    objects.add({
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'ns' },
      spec: { nodeName: 'moth', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }] },
    })
  })
  afterEach(() => {
    backend.close()
  })
  const proxy = async (name: string, tail: string, more: Partial<ApiRequest> = {}, query = '') => {
    const { status, headers, body } = await connector('pods/proxy').answer(
      asked(query, { path: `/x/proxy${tail}`, ...more }),
      at(name, tail.replace(/\/$/, '')),
    )
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
    expect(seen).toEqual(['/portForward/ns/web?port=8080', '/portForward/ns/web?port=8080'])
  })

  it('choose the port that is named, and say what is wrong', async () => {
    await proxy('http:web:81', '/')
    expect(seen).toEqual(['/portForward/ns/web?port=81'])
    expect(await proxy('web', '')).toMatchObject({ status: 301, headers: { location: '/x/proxy/' } })
    await expect(proxy('web:nope', '/')).rejects.toMatchObject({ code: 400 })
    await expect(proxy('pending', '/')).rejects.toMatchObject({ code: 400, message: 'pod pending does not have a host assigned' })
    await expect(proxy('web:9', '/')).rejects.toMatchObject({ code: 503, message: expect.stringContaining('connection refused') as string })
  })
})

describe('nodes/proxy', () => {
  it('reads what the agent offers and hands on its answer as it is', async () => {
    onAgent = (_request, response) => {
      response.writeHead(418, { 'content-type': 'text/plain' })
      response.end('teapot')
    }
    const { status, body } = await connector('nodes/proxy').answer(asked('only_cpu=true'), {
      namespace: '',
      name: 'https:moth:10250',
      tail: '/stats/summary',
    })
    expect([status, await text(body), seen]).toEqual([418, 'teapot', ['kube-apiserver-kubelet-client GET /stats/summary?only_cpu=true']])
    await expect(connector('nodes/proxy').answer(asked('', { method: 'POST' }), at('moth'))).rejects.toMatchObject({ code: 405 })
    await expect(connector('nodes/proxy').answer(asked(''), at('ghost'))).rejects.toMatchObject({ code: 404 })
  })
})
