import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http2 from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { defineKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { createPki, type Pki } from '../../apiserver/pki/pki.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { createRemoteClient, type RemoteClient, type RemoteClientOptions } from '../remote-client.ts'

export interface Thing extends KubeObject {
  spec?: { size: number }
}
export const things = defineKind<Thing>({
  group: 'test.example',
  version: 'v1',
  kind: 'Thing',
  resource: 'things',
  model: 'Thing',
  namespaced: true,
})

export const thing = (name: string, size = 1) => ({
  apiVersion: 'test.example/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { size },
})

export const status = (code: number, reason: string, message = reason) =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })

export function json(response: http2.Http2ServerResponse, code: number, body: string, headers = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(body)
}

/** An HTTPS server on loopback that a test scripts, and clients of it that are disposed after each test. */
export interface ScriptedServer {
  readonly dir: string
  readonly pki: Pki
  readonly server: http2.Http2SecureServer
  readonly url: string
  readonly sockets: Set<Socket>
  /** TCP connections since the test began. */
  readonly connections: number
  /** Gets each request with its whole body. */
  handler: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse, body: string) => void
  client(options?: Partial<RemoteClientOptions>): RemoteClient
}

export function useServer(): ScriptedServer {
  const clients: RemoteClient[] = []
  const t = {
    handler: () => undefined,
    client(options: Partial<RemoteClientOptions> = {}) {
      const made = createRemoteClient({ server: t.url, ca: t.pki.caPem, clock: systemClock, ...options })
      clients.push(made)
      return made
    },
  } as unknown as { -readonly [K in keyof ScriptedServer]: ScriptedServer[K] }

  beforeAll(async () => {
    t.dir = await mkdtemp(join(tmpdir(), 'flotilla-client-'))
    const common = { clock: systemClock, random: systemRandom, logger: silentLogger }
    t.pki = createPki({ dir: join(t.dir, 'pki'), ...common, clusterDomain: 'cluster.local', serviceAddress: '10.96.0.1' })
    await t.pki.start()
  })
  afterAll(async () => {
    await t.pki[Symbol.asyncDispose]()
    await rm(t.dir, { recursive: true, force: true })
  })
  beforeEach(async () => {
    t.connections = 0
    t.sockets = new Set()
    const tls = { ...t.pki.serving.current, ca: t.pki.caPem, requestCert: true, rejectUnauthorized: false }
    t.server = http2.createSecureServer({ ...tls, allowHTTP1: true, maxSessionMemory: 1000 })
    t.server.on('request', (request, response) => {
      let body = ''
      request.on('data', (part) => (body += String(part)))
      request.on('end', () => t.handler(request, response, body))
    })
    t.server.on('connection', (socket: Socket) => {
      t.connections++
      t.sockets.add(socket)
    })
    t.server.listen(0, '127.0.0.1')
    await once(t.server, 'listening')
    t.url = `https://127.0.0.1:${(t.server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    for (const part of clients.splice(0)) await part[Symbol.asyncDispose]()
    for (const socket of t.sockets) socket.destroy()
    t.server.close()
  })
  return t
}
