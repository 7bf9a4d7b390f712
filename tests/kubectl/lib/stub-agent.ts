/**
 * What a node's agent answers for pods that only seem to run: logs of three lines, figures, commands that are run on this computer in a
 * folder of the pod's own, and ports behind which somebody says which one it is. Doors and protocols are the real agent's.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  createAgentServer,
  type AgentServer,
  type Route,
  type RouteRequest,
  type UpgradeRoute,
} from '../../../electron/agent/server/agent-server.ts'
import { logOptions } from '../../../electron/agent/server/logs/log-options.ts'
import { acceptSpdy, acceptTunnel, isSpdy } from '../../../electron/agent/server/spdy/accept-spdy.ts'
import { PORT_FORWARD_PROTOCOL, serveSpdyPorts } from '../../../electron/agent/server/spdy/serve-ports.ts'
import { COMMAND_PROTOCOLS, spdyPeer } from '../../../electron/agent/server/spdy/spdy-peer.ts'
import { acceptWebSocket } from '../../../electron/agent/server/streams/accept-websocket.ts'
import { serveExec } from '../../../electron/agent/server/streams/serve-exec.ts'
import type { StreamPeer } from '../../../electron/agent/server/streams/stream-peer.ts'
import { CHANNEL_PROTOCOLS, WebSocketPeer } from '../../../electron/agent/server/streams/websocket-peer.ts'
import type { ExecOptions, Executor } from '../../../electron/agent/runtime/exec.ts'
import { pod as podKind } from '../../../electron/api/core/v1/pod.ts'
import { generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../../electron/apiserver/pki/certificate.ts'
import { openState } from '../../../electron/apiserver/pki/state.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { startIn } from '../../../electron/base/lifecycle.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import type { Client } from '../../../electron/client/client.ts'

export interface StubAgentOptions {
  /** The plane's certificates. */
  readonly pkiDir: string
  /** The nodes that it speaks for. */
  readonly nodes: readonly string[]
  /** May read pods; known only when the plane runs. */
  readonly client: () => Client
  /** For pods' folders. */
  readonly dir: string
}

const LINES = ['one', 'two', 'three']

export async function startStubAgent(stack: AsyncDisposableStack, options: StubAgentOptions): Promise<AgentServer> {
  const { authority } = await openState({ dir: options.pkiDir, clock: systemClock, random: systemRandom })
  const keys = await generateKeys()
  const now = systemClock.now()
  const leaf = {
    subject: { commonName: 'system:nodes' },
    publicKey: keys.publicKey,
    ...{ notBefore: now - 60_000, notAfter: now + 24 * 3600_000, usages: SERVER_AUTH, names: options.nodes },
  }
  const current = { cert: await issue(authority, leaf, systemRandom), key: await privateKeyPem(keys.privateKey) }
  const greeter = await listen(createServer((_request, response) => void response.setHeader('connection', 'close').end('hello\n')))
  stack.defer(() => void greeter.close())
  return startIn(
    stack,
    createAgentServer({
      ...{ host: '127.0.0.1', port: 0, logger: silentLogger, caPem: authority.cert.toString('pem') },
      identity: { current, onChange: () => ({ [Symbol.dispose]: () => undefined }) },
      routes: [logs, summary(options)],
      upgrades: [...commands(options, 'exec'), ...commands(options, 'attach'), ports((greeter.address() as AddressInfo).port)],
    }),
  )
}

async function listen(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const logs: Route = {
  method: 'GET',
  path: '/containerLogs/*/*/*',
  async handle({ parts: [, pod = '', container = ''], query }: RouteRequest, response: ServerResponse) {
    const { tailLines, limitBytes, timestamps } = logOptions(query, systemClock.now())
    const all = LINES.map((line) => `${timestamps ? '2026-01-02T03:04:05.000000006Z ' : ''}${line} of ${container} in ${pod}\n`)
    const text = all.slice(tailLines === null ? 0 : LINES.length - Math.min(tailLines, LINES.length)).join('')
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text.slice(0, limitBytes ?? text.length))
  },
}

function summary({ client }: StubAgentOptions): Route {
  return {
    method: 'GET',
    path: '/stats/summary',
    async handle(_request, response) {
      const time = new Date(systemClock.now()).toISOString()
      const used = (cores: number, mebibytes: number) => ({
        cpu: { time, usageNanoCores: cores * 1e9 },
        memory: { time, workingSetBytes: mebibytes * 1024 * 1024 },
      })
      const { items } = await client().list(podKind)
      const pods = items.map(({ metadata: { name, namespace, uid }, spec }) => ({
        podRef: { name, namespace, uid },
        containers: spec.containers.map((container, i) => ({ name: container.name, ...used(0.11 * (i + 1), 16 * (i + 1)) })),
      }))
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ node: used(0.8, 4096), pods }))
    },
  }
}

/** Attaching is to see what `cat` does with the input. */
function commands({ dir }: StubAgentOptions, verb: 'exec' | 'attach'): UpgradeRoute[] {
  const upgrade: UpgradeRoute['upgrade'] = async ({ parts: [namespace = '', pod = ''], query }, socket, head, message) => {
    const wants = (name: string) => query.get(name) === '1'
    const streams = { stdin: wants('input'), stdout: wants('output'), stderr: wants('error'), tty: wants('tty') }
    const asked = { socket, head, message }
    const folder = join(dir, namespace, pod)
    await mkdir(folder, { recursive: true })
    const command = verb === 'attach' ? ['cat'] : query.getAll('command')
    const serve = (peer: StreamPeer) => serveExec(peer, localExecutor(folder), pod, { command, stdin: streams.stdin, tty: false })
    if (isSpdy(asked)) await serve(await spdyPeer(acceptSpdy(COMMAND_PROTOCOLS, asked), streams, systemClock))
    else await serve(new WebSocketPeer(await acceptWebSocket(CHANNEL_PROTOCOLS, asked), streams))
  }
  return [{ path: `/${verb}/*/*/*`, upgrade }]
}

function localExecutor(cwd: string): Executor {
  return {
    async exec(_containerId, { command: [program = '', ...args], stdin }: ExecOptions) {
      const child = spawn(program, args, { cwd, env: { PATH: '/usr/bin:/bin' } })
      if (!stdin) child.stdin.end()
      child.stdin.on('error', () => undefined)
      const exit = once(child, 'close').then(([code]) => Number(code ?? 137))
      // One that cannot be started is told of below.
      exit.catch(() => undefined)
      await once(child, 'spawn').catch(() => {
        const name = JSON.stringify(program)
        throw new Error(`exec failed: unable to start container process: exec: ${name}: executable file not found in $PATH`)
      })
      return {
        ...{ stdin: stdin ? child.stdin : null, stdout: child.stdout, stderr: child.stderr, exit },
        resize: async () => undefined,
        [Symbol.asyncDispose]: async () => void child.kill('SIGKILL'),
      }
    },
  }
}

function ports(greeter: number): UpgradeRoute {
  const open = async () => {
    const socket = connect(greeter, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  return {
    path: '/portForward/*/*',
    async upgrade(_request, socket, head, message) {
      const asked = { socket, head, message }
      if (isSpdy(asked)) await serveSpdyPorts(acceptSpdy([PORT_FORWARD_PROTOCOL], asked), open)
      else await serveSpdyPorts(await acceptTunnel(PORT_FORWARD_PROTOCOL, asked), open)
    },
  }
}
