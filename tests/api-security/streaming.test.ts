import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { namespace } from '../../electron/api/core/v1/namespace.ts'
import { node } from '../../electron/api/core/v1/node.ts'
import { pod } from '../../electron/api/core/v1/pod.ts'
import { serviceAccount } from '../../electron/api/core/v1/service-account.ts'
import { service } from '../../electron/api/core/v1/service.ts'
import { roleBinding } from '../../electron/api/rbac/v1/role-binding.ts'
import { role } from '../../electron/api/rbac/v1/role.ts'
import { endpointSlice } from '../../electron/api/discovery/v1/endpoint-slice.ts'
import { generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../electron/apiserver/pki/certificate.ts'
import { openState } from '../../electron/apiserver/pki/state.ts'
import type { NodeDialer } from '../../electron/apiserver/types.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

let server: SecureServer
let agent: https.Server
let backend: http.Server
let kubeconfig: string
const dialer: NodeDialer = {
  async dial() {
    const socket = net.connect((agent.address() as AddressInfo).port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  },
}

/** The far end of exec: repeats its input on stdout in capitals, says the exit code that the command names, and ends. */
function serveExec(socket: WebSocket, url: URL): void {
  const say = (channel: number, text: string) => socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]))
  const finish = () => {
    const code = url.searchParams.getAll('command')[1] ?? '0'
    const failed = {
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: `command terminated with exit code ${code}`,
      details: { causes: [{ reason: 'ExitCode', message: code }] },
    }
    say(3, JSON.stringify({ metadata: {}, ...(code === '0' ? { status: 'Success' } : failed) }))
    socket.close(1000)
  }
  say(2, `${url.pathname}\n`)
  if (!url.searchParams.has('input')) return finish()
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0) say(1, data.subarray(1).toString().toUpperCase())
    // v5: the end of a stream has a message of its own.
    if (data[0] === 255) finish()
  })
}

/** The far end of port-forward over a WebSocket: two channels for the port, each of which begins with its number. */
function servePort(socket: WebSocket, url: URL): void {
  const port = Number(url.searchParams.get('port'))
  const say = (channel: number, data: Uint8Array) => socket.send(Buffer.concat([Buffer.of(channel), data]))
  for (const channel of [0, 1]) say(channel, Buffer.of(port & 0xff, port >> 8))
  const inner = net.connect((backend.address() as AddressInfo).port, '127.0.0.1')
  inner.on('error', () => socket.terminate())
  inner.on('data', (part) => say(0, part))
  inner.on('close', () => socket.close(1000))
  socket.on('message', (data: Buffer) => inner.write(data.subarray(1)))
  socket.on('close', () => inner.destroy())
}

beforeAll(async () => {
  backend = http.createServer((request, response) => void response.end(`${request.method} ${request.url}`))
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  server = await startSecureServer({ dialer })
  const { authority } = await openState({ dir: `${server.dir}/pki`, clock: systemClock, random: systemRandom })
  const keys = await generateKeys()
  const now = Date.now()
  const leaf = {
    subject: { commonName: 'system:node:moth' },
    publicKey: keys.publicKey,
    notBefore: now - 1000,
    notAfter: now + 600_000,
    usages: SERVER_AUTH,
    names: ['moth'],
  }
  const tls = {
    cert: await issue(authority, leaf, systemRandom),
    key: await privateKeyPem(keys.privateKey),
    ca: server.pki.caPem,
    requestCert: true,
  }
  agent = https.createServer({ ...tls, rejectUnauthorized: true }, (request, response) => {
    const url = new URL(String(request.url), 'https://moth')
    if (url.pathname === '/stats/summary') return void response.end('{"node":{}}')
    const lines = ['one', 'two', 'three'].slice(-Number(url.searchParams.get('tailLines') ?? 3))
    response.write(`${lines.join('\n')}\n`)
    if (url.searchParams.get('follow') !== 'true') return void response.end()
    setTimeout(() => response.end('last\n'), 200)
  })
  const serve = (peer: WebSocket, url: URL) => (url.pathname.startsWith('/portForward/') ? servePort(peer, url) : serveExec(peer, url))
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => [...offered][0] ?? false,
  })
  agent.on('upgrade', (request, socket, head: Buffer) =>
    sockets.handleUpgrade(request, socket, head, (peer) => serve(peer, new URL(String(request.url), 'https://moth'))),
  )
  agent.listen(0, '127.0.0.1')
  await once(agent, 'listening')
  await server.admin.create(namespace, { metadata: { name: 'ns' } })
  await server.admin.create(serviceAccount, { metadata: { name: 'default', namespace: 'ns' } })
  await server.admin.create(node, { metadata: { name: 'moth' } })
  await server.admin.create(pod, {
    metadata: { name: 'p', namespace: 'ns' },
    spec: { nodeName: 'moth', containers: [{ name: 'c', image: 'i' }] },
  })
  await server.admin.create(pod, {
    metadata: { name: 'two', namespace: 'ns' },
    spec: {
      nodeName: 'moth',
      containers: [
        { name: 'a', image: 'i' },
        { name: 'b', image: 'i' },
      ],
    },
  })
  kubeconfig = await server.kubeconfig('admin')
})
afterAll(async () => {
  agent.closeAllConnections()
  agent.close()
  backend.close()
  await server[Symbol.asyncDispose]()
})

const kubectl = (args: string[], input?: string) =>
  run('kubectl', ['--kubeconfig', kubeconfig, '-n', 'ns', ...args], {
    env: { HOME: server.dir },
    ...(input === undefined ? {} : { input }),
  })

describe('kubectl', () => {
  it('logs reads, follows, and names the containers to choose from', async () => {
    expect((await kubectl(['logs', 'p', '--tail=2'])).out).toBe('two\nthree\n')
    expect((await kubectl(['logs', 'p', '-f'])).out).toBe('one\ntwo\nthree\nlast\n')
    expect((await kubectl(['logs', 'two', '-c', 'z'])).err).toContain('container z is not valid for pod two')
    const raw = await kubectl(['get', '--raw', '/api/v1/namespaces/ns/pods/two/log'])
    expect(raw.err).toContain('a container name must be specified for pod two, choose one of: [a b]')
  })

  it('exec carries input, output, errors and the exit code', async () => {
    const ok = await kubectl(['exec', '-i', 'p', '--', 'cat'], 'hello\n')
    expect(ok).toEqual({ code: 0, out: 'HELLO\n', err: '/exec/ns/p/c\n' })
    const failed = await kubectl(['exec', 'p', '--', 'exit', '7'])
    expect([failed.code, failed.err]).toEqual([7, '/exec/ns/p/c\ncommand terminated with exit code 7\n'])
  })

  it('get --raw reads what the agent of a node offers', async () => {
    expect((await kubectl(['get', '--raw', '/api/v1/nodes/moth/proxy/stats/summary'])).out).toBe('{"node":{}}')
  })

  it('get --raw reaches what runs in a pod, by the pod and by a Service', async () => {
    await server.admin.create(service, {
      metadata: { name: 'web', namespace: 'ns' },
      spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    })
    await server.admin.create(endpointSlice, {
      metadata: { name: 'web-1', namespace: 'ns', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.244.0.5'], conditions: { ready: true }, targetRef: { kind: 'Pod', namespace: 'ns', name: 'p' } }],
    })
    const get = async (path: string) => kubectl(['get', '--raw', `/api/v1/namespaces/ns/${path}`])
    expect((await get('pods/p:8080/proxy/a/b?c=d')).out).toBe('GET /a/b?c=d')
    expect((await get('services/web/proxy/x/')).out).toBe('GET /x/')
    expect((await get('services/web:http/proxy/')).out).toBe('GET /')
    expect((await get('services/web:nope/proxy/')).err).toContain('no service port "nope" found for service "web"')
  })

  it('exec is refused for who may not', async () => {
    const file = await server.kubeconfig('jane')
    const { err } = await run('kubectl', ['--kubeconfig', file, '-n', 'ns', 'exec', 'p', '--', 'sh'], { env: { HOME: server.dir } })
    expect(err).toContain('User "jane" cannot get resource "pods" in API group "" in the namespace "ns"')
    const jane = await server.remote('jane')
    const exec = () =>
      jane.websocket({
        path: '/api/v1/namespaces/ns/pods/p/exec',
        query: { command: 'sh', stdout: 'true' },
        protocols: ['v5.channel.k8s.io'],
      })
    const refusal = (verb: string) =>
      `pods "p" is forbidden: User "jane" cannot ${verb} resource "pods/exec" in API group "" in the namespace "ns"`
    await expect(exec()).rejects.toMatchObject({ message: refusal('get') })
    await server.admin.create(role, {
      metadata: { name: 'reader', namespace: 'ns' },
      rules: [{ verbs: ['get'], apiGroups: [''], resources: ['*'] }],
    })
    await server.admin.create(roleBinding, {
      metadata: { name: 'reader', namespace: 'ns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }],
    })
    await expect.poll(() => exec().then(String, (error: Error) => error.message)).toBe(refusal('create'))
  })
})

describe('clients of this program', () => {
  it('open channels over HTTPS and in-process alike', async () => {
    for (const client of [await server.remote('admin'), server.admin]) {
      await using socket = await client.websocket({
        path: '/api/v1/namespaces/ns/pods/p/exec',
        query: { command: 'cat', stdin: 'true', stdout: 'true' },
        protocols: ['v5.channel.k8s.io'],
      })
      await socket.send(Buffer.from('\0abc'))
      await socket.send(Uint8Array.of(255, 0))
      const seen: string[] = []
      for await (const message of socket.messages) seen.push(Buffer.from(message).toString())
      expect(seen.slice(0, 2)).toEqual(['\u0002/exec/ns/p/c\n', '\u0001ABC'])
      expect(seen[2]).toContain('Success')
    }
  })
})
