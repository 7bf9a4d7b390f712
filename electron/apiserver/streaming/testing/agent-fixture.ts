import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { systemClock } from '../../../base/clock.ts'
import { silentLogger } from '../../../base/logger.ts'
import { systemRandom } from '../../../base/random.ts'
import { ObjectsClient } from '../../../client/testing/objects-client.ts'
import { generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../pki/certificate.ts'
import { createPki, type Pki } from '../../pki/pki.ts'
import { openState } from '../../pki/state.ts'
import type { ApiRequest, Connector } from '../../types.ts'
import { createConnectors } from '../streaming.ts'

/** An agent on loopback with mutual TLS, the connectors that reach it, and an HTTP server in front of them for upgrades. */
export interface AgentFixture {
  readonly pki: Pki
  readonly objects: ObjectsClient
  readonly agent: https.Server
  /** Plain requests that reached the agent: "who METHOD path". */
  readonly seen: string[]
  /** Open connections to the agent. */
  readonly dialed: Set<Duplex>
  onAgent: http.RequestListener
  dialError: Error | null
  connector(key: string): Connector
  upgradeUrl(key: string, name: string, query?: string): string
}

const PORT = 12345

/** Registers what starts and ends it around each test; node `moth` has pod `p`. */
export function useAgent(): AgentFixture {
  let dir: string
  let pair: { cert: string; key: string }
  let api: http.Server
  let front: Set<Socket>
  let connectors: Readonly<Record<string, Connector>>
  const t = {
    onAgent: () => undefined,
    connector(key: string): Connector {
      const found = connectors[key]
      if (!found) throw new Error(`no connector ${key}`)
      return found
    },
    upgradeUrl: (key: string, name: string, query = '') => `ws://127.0.0.1:${(api.address() as AddressInfo).port}/${key}=${name}${query}`,
  } as unknown as { -readonly [K in keyof AgentFixture]: AgentFixture[K] }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'flotilla-streaming-'))
    const common = { dir: join(dir, 'pki'), clock: systemClock, random: systemRandom }
    t.pki = createPki({ ...common, logger: silentLogger, clusterDomain: 'x', serviceAddress: '10.0.0.1' })
    await t.pki.start()
    pair = await agentCertificate((await openState(common)).authority)
  })
  afterAll(async () => {
    await t.pki[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  })

  beforeEach(async () => {
    t.seen = []
    t.dialError = null
    t.dialed = new Set()
    front = new Set()
    t.agent = https.createServer({ ...pair, ca: t.pki.caPem, requestCert: true, rejectUnauthorized: true }, (request, response) => {
      t.seen.push(`${(request.socket as TLSSocket).getPeerCertificate().subject.CN as string} ${request.method} ${request.url}`)
      t.onAgent(request, response)
    })
    t.agent.listen(0, '127.0.0.1')
    await once(t.agent, 'listening')
    t.objects = objectsOfMoth()
    connectors = createConnectors({
      client: t.objects.client,
      dialer: { dial: (node, port) => dial(node, port) },
      caPem: t.pki.caPem,
      identity: () => t.pki.kubeletClient.current,
      clock: systemClock,
      random: systemRandom,
    })
    api = http.createServer()
    api.on('connection', (socket: Socket) => front.add(socket))
    api.on('upgrade', (request, socket, head: Buffer) => {
      const url = new URL(String(request.url), 'http://x')
      const [key = '', name = ''] = url.pathname.slice(1).split('=')
      const headers = request.headers as Record<string, string>
      const made = asked(url.search, { headers, method: request.method ?? 'GET' })
      void t.connector(key).upgrade(made, at(name), socket, head)
    })
    api.listen(0, '127.0.0.1')
    await once(api, 'listening')
  })
  afterEach(() => {
    t.agent.closeAllConnections()
    t.agent.close()
    for (const socket of [...front, ...t.dialed]) socket.destroy()
    api.close()
  })

  const dial = async (node: string, port: number): Promise<Duplex> => {
    if (t.dialError) throw t.dialError
    expect([node, port]).toEqual(['moth', PORT])
    const socket = net.connect((t.agent.address() as AddressInfo).port, '127.0.0.1')
    await once(socket, 'connect')
    t.dialed.add(socket)
    socket.once('close', () => t.dialed.delete(socket))
    return socket
  }
  return t
}

async function agentCertificate(authority: Parameters<typeof issue>[0]): Promise<{ cert: string; key: string }> {
  const { publicKey, privateKey } = await generateKeys()
  const now = Date.now()
  const subject = { commonName: 'system:node:moth' }
  const options = { subject, publicKey, notBefore: now - 1000, notAfter: now + 600_000, usages: SERVER_AUTH, names: ['moth'] }
  return { cert: await issue(authority, options, systemRandom), key: await privateKeyPem(privateKey) }
}

function objectsOfMoth(): ObjectsClient {
  const objects = new ObjectsClient()
  const pod = (name: string, spec: object) => objects.add({ kind: 'Pod', metadata: { name, namespace: 'ns' }, spec })
  objects.add({ kind: 'Node', metadata: { name: 'moth' }, status: { daemonEndpoints: { kubeletEndpoint: { Port: PORT } } } })
  pod('p', { nodeName: 'moth', containers: [{ name: 'c' }] })
  pod('two', { nodeName: 'moth', containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] })
  pod('pending', { containers: [{ name: 'c' }] })
  return objects
}

export function asked(query: string, more: Partial<ApiRequest> = {}): ApiRequest {
  return {
    method: 'GET',
    path: '/',
    query: new URLSearchParams(query),
    headers: {},
    body: async () => Buffer.alloc(0),
    user: { name: 'x', groups: [] },
    signal: new AbortController().signal,
    ...more,
  }
}

export const at = (name: string, tail = '') => ({ namespace: 'ns', name, tail })

export async function text(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString()
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString()
}
