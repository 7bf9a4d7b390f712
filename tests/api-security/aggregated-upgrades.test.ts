/** Connections that change their protocol, handed on to another API server: exec of an aggregated API, over WebSocket and SPDY. */
import { once } from 'node:events'
import { createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { apiService, clusterRole, clusterRoleBinding, namespace, service, serviceAccount } from '../../electron/api/kinds.gen.ts'
import type { KeyPairPem } from '../../electron/apiserver/pki/certificate.ts'
import { createAuthority, generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../electron/apiserver/pki/certificate.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { readBody } from '../../electron/client/bytes.ts'
import { startSecureServer, type SecureServer } from './secure-server.ts'

const GROUP = 'wardle.example.com'
const ROOT = `/apis/${GROUP}/v1`
const EXEC = `${ROOT}/namespaces/default/flunders/one/exec`
const DISCOVERY = {
  ...{ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${GROUP}/v1` },
  resources: [{ name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs: ['get', 'list'] }],
}
const PROTOCOL = 'v5.channel.k8s.io'

interface Asked {
  readonly url: string
  readonly user: string
  /** Who the certificate says it is. */
  readonly client: string
  readonly authorization: string | undefined
  readonly protocols: string | undefined
}

const undo = new AsyncDisposableStack()
const asked: Asked[] = []
let plane: SecureServer
let extension: Server
let admin: KeyPairPem

beforeAll(async () => {
  const times = { notBefore: Date.parse('2020-01-01'), notAfter: Date.parse('2040-01-01') }
  const authority = await createAuthority({ commonName: 'extension', ...times, random: systemRandom })
  const { publicKey, privateKey } = await generateKeys()
  const leaf = { subject: { commonName: 'api' }, publicKey, ...times, usages: SERVER_AUTH, names: ['api.default.svc'] }
  const identity = { cert: await issue(authority, leaf, systemRandom), key: await privateKeyPem(privateKey) }
  extension = createServer({ ...identity, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const isDiscovery = request.url === ROOT
    response.writeHead(isDiscovery ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(isDiscovery ? DISCOVERY : {}))
  })
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false) })
  extension.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    const { headers, url = '' } = request
    const client = String((socket as TLSSocket).getPeerCertificate().subject.CN)
    asked.push({
      url,
      user: String(headers['x-remote-user']),
      client,
      authorization: headers.authorization,
      protocols: headers['sec-websocket-protocol'],
    })
    if (url.startsWith(`${EXEC}?command=refused`)) return void socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
    if (headers.upgrade === 'SPDY/3.1') {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\nx-stream-protocol-version: v4.channel.k8s.io\r\n\r\n',
      )
      if (head.length > 0) socket.write(head)
      return void socket.pipe(socket)
    }
    // What is written comes back from the other channel, as from a program that echoes.
    return sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('message', (data: Buffer) => opened.send(Buffer.concat([Buffer.of(1), data.subarray(1)])))
    })
  })
  extension.listen(0, '127.0.0.1')
  await once(extension, 'listening')
  undo.defer(() => {
    extension.closeAllConnections()
    extension.close()
  })
  plane = undo.use(await startSecureServer())
  admin = await plane.pki.issueClient({ commonName: 'root', organizations: ['system:masters'] })
  await plane.admin.create(namespace, { metadata: { name: 'default' } }).catch(() => undefined)
  await plane.admin.create(serviceAccount, { metadata: { name: 'bot', namespace: 'default' } })
  await plane.admin.create(clusterRole, {
    metadata: { name: 'execs' },
    rules: [{ verbs: ['*'], apiGroups: [GROUP], resources: ['flunders/exec'] }],
  })
  await plane.admin.create(clusterRoleBinding, {
    metadata: { name: 'execs' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'execs' },
    subjects: [{ kind: 'ServiceAccount', name: 'bot', namespace: 'default' }],
  })
  await plane.admin.create(service, {
    metadata: { name: 'api', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  await plane.admin.create(apiService, {
    metadata: { name: `v1.${GROUP}` },
    spec: {
      ...{ group: GROUP, version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15 },
      caBundle: Buffer.from(authority.cert.toString('pem')).toString('base64'),
      service: { namespace: 'default', name: 'api', port: (extension.address() as AddressInfo).port },
    },
  })
  const available = async () => (await plane.admin.get(apiService, { name: `v1.${GROUP}` })).status.conditions?.[0]?.status
  await vi.waitFor(async () => expect(await available()).toBe('True'), { timeout: 60_000, interval: 50 })
})
afterAll(() => undo.disposeAsync())

const tls = (identity: KeyPairPem) => ({ ca: plane.pki.caPem, ...identity })

describe('exec of an aggregated API', () => {
  it('goes through over WebSocket, both ways and whole, as who asks', async () => {
    const url = `${plane.url.replace('https', 'wss')}${EXEC}?command=sh&stdin=true`
    const socket = new WebSocket(url, [PROTOCOL], tls(admin))
    const chunks: Buffer[] = []
    socket.on('message', (data: Buffer) => chunks.push(data))
    await once(socket, 'open')
    expect(socket.protocol).toBe(PROTOCOL)
    socket.send(Buffer.from('\0hello'))
    const large = Buffer.alloc(1 << 20, 'x')
    socket.send(Buffer.concat([Buffer.of(0), large]))
    await expect.poll(() => chunks.length, { timeout: 30_000 }).toBe(2)
    expect(chunks[0]?.toString()).toBe('\u0001hello')
    expect(chunks[1]?.subarray(1).equals(large)).toBe(true)
    socket.close(1000)
    await once(socket, 'close')
    expect(asked.at(-1)).toMatchObject({
      url: `${EXEC}?command=sh&stdin=true`,
      user: 'root',
      client: 'front-proxy-client',
      authorization: undefined,
    })
  })

  it('goes through over SPDY, the bytes as they are', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }
    const request = httpsRequest(`${plane.url}${EXEC}?command=sh`, { method: 'POST', headers, ...tls(admin), agent: false })
    request.end()
    const [response, socket] = (await once(request, 'upgrade')) as [{ statusCode: number; headers: Record<string, string> }, Duplex]
    expect([response.statusCode, response.headers['x-stream-protocol-version']]).toEqual([101, 'v4.channel.k8s.io'])
    const sent = Buffer.from([0x80, 3, 0, 1, ...Buffer.from('any frame')])
    socket.write(sent)
    const [echo] = (await once(socket, 'data')) as [Buffer]
    expect(echo.equals(sent)).toBe(true)
    socket.end()
    await once(socket, 'close')
  })

  it('shows the other server no token of who asks', async () => {
    const { token } = (
      await plane.admin
        .request({
          ...{ method: 'POST', path: '/api/v1/namespaces/default/serviceaccounts/bot/token' },
          ...{ headers: { 'content-type': 'application/json' }, body: '{}' },
        })
        .then(readBody)
        .then((body) => JSON.parse(body.toString()) as { status: { token: string } })
    ).status
    const bearer = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`
    const url = `${plane.url.replace('https', 'wss')}${EXEC}?command=sh`
    const socket = new WebSocket(url, [bearer, PROTOCOL], { ca: plane.pki.caPem })
    await once(socket, 'open')
    socket.close(1000)
    await once(socket, 'close')
    expect(asked.at(-1)).toMatchObject({ user: 'system:serviceaccount:default:bot', protocols: PROTOCOL, authorization: undefined })
  })

  it('is refused here for who may not, and in its own words where the other server refuses', async () => {
    const stranger = await plane.pki.issueClient({ commonName: 'stranger' })
    const refusal = async (identity: KeyPairPem, command: string) => {
      const before = asked.length
      const socket = new WebSocket(`${plane.url.replace('https', 'wss')}${EXEC}?command=${command}`, [PROTOCOL], tls(identity))
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number; resume(): void }]
      response.resume()
      return [response.statusCode, asked.length - before]
    }
    expect(await refusal(stranger, 'sh')).toEqual([403, 0])
    expect(await refusal(admin, 'refused')).toEqual([403, 1])
  })
})
