/**
 * A node with one pod, whose containers are processes of this machine: the agent's own server and protocols, without a container
 * runtime. What is attached to repeats its input in capitals; a forwarded port is this machine's port of that number.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { createAgentServer, type Route, type UpgradeRoute } from '../../../electron/agent/server/agent-server.ts'
import { acceptWebSocket } from '../../../electron/agent/server/streams/accept-websocket.ts'
import { serveExec } from '../../../electron/agent/server/streams/serve-exec.ts'
import { PORT_PROTOCOLS, servePortForward } from '../../../electron/agent/server/streams/serve-port-forward.ts'
import { SUCCESS } from '../../../electron/agent/server/streams/stream-peer.ts'
import { CHANNEL_PROTOCOLS, WebSocketPeer } from '../../../electron/agent/server/streams/websocket-peer.ts'
import type { Executor } from '../../../electron/agent/runtime/exec.ts'
import { namespace } from '../../../electron/api/core/v1/namespace.ts'
import { node } from '../../../electron/api/core/v1/node.ts'
import { pod } from '../../../electron/api/core/v1/pod.ts'
import { serviceAccount } from '../../../electron/api/core/v1/service-account.ts'
import { generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../../electron/apiserver/pki/certificate.ts'
import { openState } from '../../../electron/apiserver/pki/state.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { startSecureServer, type SecureServer } from '../../api-security/secure-server.ts'

export const POD = { namespace: 'ns', name: 'tools' }
export const CONTAINER = 'main'
/** What the container has written. */
export const LOG = ['one', 'two', 'three']

/** An API server with such a node. The pod runs in `dir`. */
export async function startProcessNode(dir: string): Promise<SecureServer> {
  await using stack = new AsyncDisposableStack()
  let port = 0
  const dialer = {
    async dial() {
      const socket = net.connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    },
  }
  const server = stack.use(await startSecureServer({ dialer }))
  const agent = stack.use(
    createAgentServer({
      ...{ host: '127.0.0.1', port: 0, caPem: server.pki.caPem, logger: silentLogger },
      identity: { current: await identityOf(server), onChange: () => ({ [Symbol.dispose]: () => {} }) },
      routes: [logs],
      upgrades: upgradesIn(dir),
    }),
  )
  await agent.start()
  port = agent.port
  const { admin } = server
  await admin.create(namespace, { metadata: { name: POD.namespace } })
  await admin.create(serviceAccount, { metadata: { name: 'default', namespace: POD.namespace } })
  await admin.create(node, { metadata: { name: 'host' } })
  const spec = { nodeName: 'host', containers: [{ name: CONTAINER, image: 'tools' }] }
  await admin.create(pod, { metadata: { ...POD, labels: { app: 'tools' } }, spec })
  const all = stack.move()
  return { ...server, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function identityOf({ dir }: SecureServer): Promise<{ cert: string; key: string }> {
  const { authority } = await openState({ dir: `${dir}/pki`, clock: systemClock, random: systemRandom })
  const { publicKey, privateKey } = await generateKeys()
  const now = systemClock.now()
  const times = { notBefore: now - 1000, notAfter: now + 3600_000 }
  const leaf = { subject: { commonName: 'system:node:host' }, publicKey, ...times, usages: SERVER_AUTH, names: ['host'] }
  return { cert: await issue(authority, leaf, systemRandom), key: await privateKeyPem(privateKey) }
}

const logs: Route = {
  method: 'GET',
  path: '/containerLogs/*/*/*',
  async handle({ query, signal }, response) {
    const tail = Number(query.get('tailLines') ?? LOG.length)
    for (const line of LOG.slice(-tail)) response.write(`${line}\n`)
    if (query.get('follow') === 'true') {
      for (let i = 0; i < 3 && !signal.aborted; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        response.write(`later ${i}\n`)
      }
    }
    response.end()
  },
}

function upgradesIn(dir: string): UpgradeRoute[] {
  const peerOf = async (query: URLSearchParams, upgrade: Parameters<typeof acceptWebSocket>[1]) => {
    const [stdin, stdout, stderr] = ['input', 'output', 'error'].map((name) => ['1', 'true'].includes(query.get(name) ?? ''))
    const streams = { stdin: stdin === true, stdout: stdout === true, stderr: stderr === true }
    return { streams, peer: new WebSocketPeer(await acceptWebSocket(CHANNEL_PROTOCOLS, upgrade), streams) }
  }
  const exec: UpgradeRoute['upgrade'] = async ({ query }, socket, head, message) => {
    const { peer, streams } = await peerOf(query, { socket, head, message })
    await serveExec(peer, processesIn(dir), CONTAINER, { command: query.getAll('command'), stdin: streams.stdin, tty: false })
  }
  const attach: UpgradeRoute['upgrade'] = async ({ query }, socket, head, message) => {
    const { peer } = await peerOf(query, { socket, head, message })
    for await (const part of peer.stdin ?? []) await peer.write('stdout', Buffer.from(String(part).toUpperCase()))
    await peer.finish(SUCCESS)
  }
  const forward: UpgradeRoute['upgrade'] = async ({ query }, socket, head, message) => {
    const open = async (port: number) => {
      const stream = net.connect(port, '127.0.0.1')
      await once(stream, 'connect')
      return stream
    }
    await servePortForward(await acceptWebSocket(PORT_PROTOCOLS, { socket, head, message }), query.getAll('port').map(Number), open)
  }
  return [
    ...['/exec/*/*/*', '/exec/*/*/*/*'].map((path) => ({ path, upgrade: exec })),
    ...['/attach/*/*/*', '/attach/*/*/*/*'].map((path) => ({ path, upgrade: attach })),
    ...['/portForward/*/*', '/portForward/*/*/*'].map((path) => ({ path, upgrade: forward })),
  ]
}

function processesIn(dir: string): Executor {
  return {
    async exec(_container, { command: [program = '', ...args], stdin }) {
      const child = spawn(program, args, { cwd: dir, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
      await once(child, 'spawn')
      const { stdout, stderr } = child
      if (!stdout || !stderr) throw new Error(`${program} has no output`)
      return {
        ...{ stdin: child.stdin, stdout, stderr },
        exit: once(child, 'close').then(([code]) => Number(code ?? 137)),
        resize: async () => {},
        [Symbol.asyncDispose]: async () => void child.kill('SIGKILL'),
      }
    },
  }
}
