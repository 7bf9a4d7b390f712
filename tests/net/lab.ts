/** A cluster of machines in network namespaces: the real API server, and on each machine the network's parts of the agent. */
import type { ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { service as serviceKind } from '../../electron/api/core/v1/service.ts'
import type { ServiceSpec } from '../../electron/api/core/v1/types.gen.ts'
import { endpointSlice as sliceKind } from '../../electron/api/discovery/v1/endpoint-slice.ts'
import type { AgentConfig } from '../../electron/api/infra/v1alpha1/agent-config.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { cniConfigFile } from '../../electron/agent/net/cni-config.ts'
import { systemCommands, type Commands } from '../../electron/agent/net/commands.ts'
import { startSecureServer, type SecureServer } from '../api-security/secure-server.ts'
import type { AgentProcessInput } from './agent-process.ts'
import { attach, detach, type PortMapping } from './cni.ts'
import { end, layWire, type Namespace, type Wire } from './namespaces.ts'

export interface Machine {
  readonly name: string
  /** "192.168.77.11" */
  readonly address: string
  readonly podCidr: string
  readonly config: AgentConfig
  readonly net: Namespace
  /** Runs programs in it. */
  readonly commands: Commands
  readonly log: string[]
  startAgent(): Promise<void>
  stopAgent(signal?: NodeJS.Signals): Promise<void>
}

export interface PodInLab {
  readonly address: string
  readonly machine: Machine
  readonly net: Namespace
  remove(): Promise<void>
}

export interface EndpointDraft {
  readonly pod: PodInLab
  readonly ready?: boolean
  readonly serving?: boolean
  readonly terminating?: boolean
}

export interface NetLab extends AsyncDisposable {
  readonly api: SecureServer
  readonly wire: Wire
  /** A machine that is a node of the cluster, its agent running; `prepare` is done before that. */
  machine(name: string, prepare?: (net: Namespace, podCidr: string) => Promise<void>): Promise<Machine>
  /** A pod that answers on port 8080. */
  pod(machine: Machine, name: string, portMappings?: readonly PortMapping[]): Promise<PodInLab>
  service(name: string, spec: Draft<ServiceSpec>, endpoints: readonly EndpointDraft[]): Promise<void>
  endpoints(name: string, endpoints: readonly EndpointDraft[]): Promise<void>
  /** Cuts all machines off from the API server, or joins them again. */
  cut(): void
  join(): void
}

export const POD_PORT = 8080

export async function openNetLab(): Promise<NetLab> {
  await using undo = new AsyncDisposableStack()
  const dir = await mkdtemp('/var/tmp/flotilla-net-')
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  const api = undo.use(await startSecureServer())
  for (const name of ['default', 'kube-system']) await api.admin.create(namespaceKind, { metadata: { name } }).catch(() => undefined)
  const caFile = join(dir, 'ca.crt')
  await writeFile(caFile, api.pki.caPem)
  const way = undo.use(await openWay(join(dir, 'api.sock'), Number(new URL(api.url).port)))
  const wire = undo.use(await layWire())
  let machines = 0
  const cleanup = undo.move()

  const machine: NetLab['machine'] = async (name, prepare) => {
    const number = ++machines
    const address = `192.168.77.${10 + number}`
    const podCidr = `10.244.${number}.0/24`
    const net = await wire.machine(name, address)
    const config = await configOf(join(dir, name), { name, address, caFile })
    await writeFile(config.apiPortFile, `${await net.ask({ kind: 'forward', socket: way.path })}\n`)
    const certificate = await api.pki.issueClient({ commonName: `system:node:${name}`, organizations: ['system:nodes'] })
    const input: AgentProcessInput = { config, certificate }
    await writeFile(join(dir, name, 'input.json'), JSON.stringify(input))
    const status = { addresses: [{ type: 'InternalIP', address }] }
    await api.admin.create(nodeKind, { metadata: { name }, spec: { podCIDR: podCidr, podCIDRs: [podCidr] }, status })
    const log: string[] = []
    let agent: ChildProcess | null = null
    const made: Machine = {
      ...{ name, address, podCidr, config, net, log },
      commands: { run: (program, args, text) => systemCommands.run('nsenter', [`--net=/run/netns/${net.id}`, program, ...args], text) },
      async startAgent() {
        agent = await net.start('agent-process.ts', [join(dir, name, 'input.json')], (text) => {
          log.push(text)
          if (process.env['AGENT_LOG']) process.stderr.write(text)
        })
      },
      async stopAgent(signal = 'SIGTERM') {
        if (agent) await end(agent, signal)
        agent = null
      },
    }
    await prepare?.(net, podCidr)
    await made.startAgent()
    return made
  }

  const slice = (name: string, endpoints: readonly EndpointDraft[]) => ({
    metadata: { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4' as const,
    ports: (['TCP', 'UDP'] as const).map((protocol) => ({ name: protocol.toLowerCase(), protocol, port: POD_PORT })),
    endpoints: endpoints.map(({ pod, ready = true, serving = true, terminating = false }) => ({
      addresses: [pod.address],
      conditions: { ready, serving, terminating },
      nodeName: pod.machine.name,
    })),
  })

  return {
    api,
    wire,
    machine,
    async pod(on, name, portMappings = []) {
      const net = await wire.empty(name)
      const configFile = cniConfigFile(on.config)
      const attachment = { host: on.net.id, pod: net.id, configFile, portMappings }
      const address = await eventually('a CNI configuration is there', () => attach(attachment))
      await net.ask({ kind: 'serve', port: POD_PORT })
      return { address, machine: on, net, remove: () => detach(attachment) }
    },
    async service(name, spec, endpoints) {
      const ports = (['TCP', 'UDP'] as const).map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: 80,
        targetPort: POD_PORT,
      }))
      await api.admin.create(serviceKind, { metadata: { namespace: 'default', name }, spec: { ports, ...spec } })
      await api.admin.create(sliceKind, slice(name, endpoints))
    },
    async endpoints(name, endpoints) {
      const body = { endpoints: slice(name, endpoints).endpoints }
      await api.admin.patch(sliceKind, { namespace: 'default', name: `${name}-1` }, { type: 'merge', body })
    },
    cut: way.cut,
    join: way.join,
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

async function configOf(dir: string, { name, address, caFile }: { name: string; address: string; caFile: string }): Promise<AgentConfig> {
  const folders = { stateDir: join(dir, 'state'), logDir: join(dir, 'log'), cniConfDir: join(dir, 'cni'), run: join(dir, 'run') }
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true })
  const { run, ...own } = folders
  return {
    ...own,
    nodeName: name,
    nodeIP: address,
    labels: {},
    clusterDomain: 'cluster.local',
    serviceCIDR: '10.96.0.0/16',
    clusterCIDR: '10.244.0.0/16',
    apiVip: '10.96.0.1',
    dnsVip: '10.96.0.10',
    caFile,
    bootstrapTokenFile: join(dir, 'token'),
    apiPortFile: join(dir, 'api-port'),
    containerdSocket: join(run, 'containerd.sock'),
    cniBinDir: '/usr/lib/cni',
    port: 10250,
    serviceManager: 'none',
  }
}

/** From a unix socket, which namespaces do not part, to the API server's port. */
async function openWay(path: string, port: number) {
  const sockets = new Set<Socket>()
  let open = true
  const server = createServer((incoming) => {
    if (!open) return void incoming.destroy()
    const outgoing = connect(port, '127.0.0.1')
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const cut = () => {
    open = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    path,
    cut,
    join: () => void (open = true),
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** What `look` answers once it does not throw any more. */
export async function eventually<T>(what: string, look: () => Promise<T>, timeout = 20_000): Promise<T> {
  const until = systemClock.monotonic() + timeout
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (systemClock.monotonic() > until) throw new Error(`timed out waiting until ${what}`, { cause: error })
      await sleep(systemClock, 50)
    }
  }
}
