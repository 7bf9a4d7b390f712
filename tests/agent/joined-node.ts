/** A node as in production: the bundled agent in a process of its own, joined by token to the API server over TLS. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { certificateSigningRequest } from '../../electron/api/certificates/v1/certificate-signing-request.ts'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import { serviceAccount } from '../../electron/api/core/v1/service-account.ts'
import type { Node, Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { AgentConfig } from '../../electron/api/infra/v1alpha1/agent-config.ts'
import { run, startSecureServer } from '../api-security/secure-server.ts'
import type { Ran, SecureServer } from '../api-security/secure-server.ts'
import { configOf, NODE } from './cluster.ts'
import type { PodDraft } from './cluster.ts'
import { BUSYBOX_IMAGE, openLab } from './lab.ts'
import type { Lab } from './lab.ts'

const ROOT = join(import.meta.dirname, '../..')
const NODE_PROGRAM = process.execPath
const HEAP = ['--max-semi-space-size=2', '--max-old-space-size=256', '--optimize-for-size']

export interface JoinedNode extends AsyncDisposable {
  readonly lab: Lab
  readonly api: SecureServer
  readonly config: AgentConfig
  readonly pid: number
  /** What the agent has logged. */
  readonly log: string[]
  startAgent(): Promise<void>
  /** Ends the agent with the signal and waits for its end. */
  stopAgent(signal: NodeJS.Signals): Promise<void>
  /** Cuts or mends the agent's way to the API server. */
  cut(): void
  mend(): void
  createPod(name: string, spec: PodDraft): Promise<Pod>
  pod(name: string): Promise<Pod>
  deletePod(name: string, gracePeriodSeconds?: number): Promise<void>
  until<T>(what: string, look: () => Promise<T | null | undefined | false>, timeout?: number): Promise<T>
  node(): Promise<Node>
  kubectl(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<Ran>
  readonly kubeconfig: string
}

export async function joinNode(): Promise<JoinedNode> {
  await using undo = new AsyncDisposableStack()
  const build = await run(NODE_PROGRAM, [join(ROOT, 'scripts/build-agent.ts')])
  if (build.code !== 0) throw new Error(build.err)
  const lab = undo.use(await openLab())
  const agentPort = await freePort()
  const dialer = {
    dial: async (_node: string, port: number) => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    },
  }
  const api = undo.use(await startSecureServer({ dialer }))
  const relay = undo.use(await openRelay(Number(new URL(api.url).port)))
  const { admin } = api
  for (const name of ['kube-system', 'kube-node-lease', 'default'])
    await admin.create(namespaceKind, { metadata: { name } }).catch(() => undefined)
  await admin.create(serviceAccount, { metadata: { namespace: 'default', name: 'default' } }).catch(() => undefined)
  const ca = { metadata: { namespace: 'default', name: 'kube-root-ca.crt' }, data: { 'ca.crt': api.pki.caPem } }
  await admin.create(configMap, ca).catch(() => undefined)
  const signing = new AbortController()
  const signer = signRequests(api, signing.signal)
  undo.defer(async () => {
    signing.abort()
    await signer
  })

  const config: AgentConfig = { ...(await configOf(lab)), port: agentPort }
  await writeFile(config.caFile, api.pki.caPem)
  await writeFile(config.bootstrapTokenFile, 'abcdef.0123456789abcdef', { mode: 0o600 })
  await admin.create(secret, {
    metadata: { namespace: 'kube-system', name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true' },
  })
  const configFile = join(lab.dir, 'config.json')
  await writeFile(configFile, JSON.stringify(config))
  const uninstall = join(lab.dir, 'uninstall')
  await writeFile(uninstall, `#!/bin/sh\ntouch ${join(lab.dir, 'uninstalled')}\n`, { mode: 0o755 })
  const kubeconfig = await api.kubeconfig('admin')

  const log: string[] = []
  let agent: ChildProcess | null = null
  const node: JoinedNode = {
    lab,
    api,
    config,
    log,
    kubeconfig,
    get pid() {
      return agent?.pid ?? 0
    },
    async startAgent() {
      const program = join(ROOT, 'resources/agent/agent.mjs')
      const args = [
        ...HEAP,
        program,
        '--config',
        configFile,
        '--api-url',
        `https://127.0.0.1:${relay.port}`,
        '--uninstall-script',
        uninstall,
      ]
      const started = spawn(NODE_PROGRAM, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      started.stderr.on('data', (part: Buffer) => {
        log.push(part.toString())
        if (process.env['AGENT_LOG']) process.stderr.write(part)
      })
      agent = started
    },
    async stopAgent(signal) {
      const stopped = agent
      agent = null
      if (!stopped || stopped.exitCode !== null || stopped.signalCode !== null) return
      const exited = once(stopped, 'exit')
      stopped.kill(signal)
      await exited
    },
    cut: () => relay.cut(),
    mend: () => relay.mend(),
    createPod: (name, spec) =>
      admin.create(podKind, {
        metadata: { namespace: 'default', name },
        spec: {
          nodeName: NODE,
          terminationGracePeriodSeconds: 2,
          ...spec,
          containers: spec.containers.map((container) => ({ image: BUSYBOX_IMAGE, imagePullPolicy: 'IfNotPresent', ...container })),
        },
      }),
    pod: (name) => admin.get(podKind, { namespace: 'default', name }),
    deletePod: async (name, gracePeriodSeconds) =>
      void (await admin.delete(podKind, { namespace: 'default', name }, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })),
    async until(what, look, timeout = 30_000) {
      const end = Date.now() + timeout
      for (;;) {
        const found = await look()
        if (found) return found
        if (Date.now() > end)
          throw new Error(
            `timed out waiting until ${what}\n${log
              .join('')
              .split('\n')
              .slice(-12)
              .map((line) => line.slice(0, 400))
              .join('\n')}`,
          )
        await sleep(systemClock, 50)
      }
    },
    node: () => admin.get(nodeKind, { name: NODE }),
    kubectl: (args, options = {}) =>
      run('kubectl', ['--kubeconfig', kubeconfig, ...args], { ...options, env: { HOME: api.dir, ...options.env } }),
    async [Symbol.asyncDispose]() {
      await node.stopAgent('SIGKILL')
      await cleanup.disposeAsync()
    },
  }
  const cleanup = undo.move()
  return node
}

/** What the cluster's controllers do with requests of nodes. */
async function signRequests(api: SecureServer, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { items } = await api.admin.list(certificateSigningRequest)
    for (const request of items.filter(({ status }) => !status.certificate)) {
      const cert = await api.pki.signer.sign(Buffer.from(request.spec.request, 'base64').toString(), { usages: request.spec.usages ?? [] })
      const approved = { type: 'Approved', status: 'True', reason: 'Test', message: '' }
      const status = { conditions: [approved], certificate: Buffer.from(cert).toString('base64') }
      const at = { name: request.metadata.name }
      await api.admin.patch(
        certificateSigningRequest,
        at,
        { type: 'merge', body: { status: { conditions: [approved] } } },
        { subresource: 'approval' },
      )
      await api.admin.patch(certificateSigningRequest, at, { type: 'merge', body: { status } }, { subresource: 'status' })
    }
    await sleep(systemClock, 100, signal).catch(() => undefined)
  }
}

async function openRelay(port: number) {
  const sockets = new Set<Socket>()
  let open = true
  const server = createServer((incoming) => {
    if (!open) return void incoming.destroy()
    const outgoing = connect(port, '127.0.0.1')
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        incoming.destroy()
        outgoing.destroy()
      })
    }
    incoming.pipe(outgoing)
    outgoing.pipe(incoming)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    open = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend: () => {
      open = true
    },
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
