/** A whole control plane as one disposable object. */
import { node as nodeKind } from '../api/core/v1/node.ts'
import { machine as machineKind } from '../api/infra/v1alpha1/machine.ts'
import { KINDS } from '../api/kinds.gen.ts'
import type { NodeDialer } from '../apiserver/types.ts'
import { component, startIn, type Component, componentWith } from '../base/lifecycle.ts'
import type { Client } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import { CHANNELS, type Channels } from '../contracts/channels.ts'
import type { METRICS_CHANNELS } from '../contracts/metrics.ts'
import { serveConnection, type Handlers } from '../contracts/server.ts'
import { unavailable } from '../machinery/status.ts'
import { createMachines, type Machines } from '../provision/machines.ts'
import { sandboxSupport } from '../provision/sandbox/support.ts'
import { startApi, type Api, type PlaneDeps } from './api.ts'
import { API_VIP, CLUSTER_CIDR, CLUSTER_DOMAIN, DNS_VIP, SERVICE_CIDR, type PlaneConfig, type PlaneInfo } from './config.ts'
import { listenControl } from './control-socket.ts'
import { authorityCheck, diagnoseMachines } from './doctor-machines.ts'
import { diagnose } from './doctor.ts'
import { clusterHandlers } from './face/cluster.ts'
import { describeFailure } from './face/describe.ts'
import { kubeHandlers } from './face/kube.ts'
import { machineHandlers } from './face/machines.ts'
import { storeHandlers } from './face/store.ts'
import { virtualHandlers } from './face/virtual.ts'
import { loadNodePty, terminalHandlers } from './face/terminal.ts'
import { helmHandlers } from './helm/handlers.ts'
import { createMetrics } from './metrics/metrics.ts'
import { imageHandlers } from './registry/images.ts'
import { startManagers } from './managers.ts'
import { serveEtcd } from './serve-etcd.ts'
import { controlSocketPath, paths } from './state-dir.ts'

export interface Plane extends Component {
  /** These once it serves. */
  readonly info: PlaneInfo
  readonly handlers: Handlers<Channels>
  /** The administrator's, who sits at the desktop. */
  readonly client: Client
}

/** `onServing`: the API answers and `handlers` may be called, while controllers and scheduler are still looking at the cluster. */
export function createPlane(config: PlaneConfig, deps: PlaneDeps, onServing: () => void = () => undefined): Plane {
  let running: { info: PlaneInfo; handlers: Handlers<Channels>; client: Client } | null = null
  const { clock, random, logger } = deps

  const base = component(async (stack, signal) => {
    const startedAt = clock.now()
    let machines: Machines | null = null
    const dialer: NodeDialer = {
      dial: (node, port, signal) =>
        machines ? machines.dial(node, port, signal) : Promise.reject(unavailable(`there is no connection to the node ${node} yet`, 1)),
    }
    const api = await startApi(config, deps, dialer, stack, signal)
    const machinesClient = api.server.clientFor(
      { name: 'system:serviceaccount:kube-system:flotilla-machines', groups: ['system:masters'] },
      'flotilla',
    )
    const informers = createInformers(machinesClient, { clock, random, logger })
    machines = createMachines({
      client: machinesClient,
      informers,
      ...{ clock, random, logger: logger.child({ part: 'machines' }) },
      stateDir: config.stateDir,
      version: config.version,
      cluster: {
        id: api.cluster.id,
        caPem: api.pki.caPem,
        clusterDomain: CLUSTER_DOMAIN,
        serviceCIDR: SERVICE_CIDR,
        clusterCIDR: CLUSTER_CIDR,
        apiVip: API_VIP,
        dnsVip: DNS_VIP,
      },
      apiPort: () => api.port,
      agentTls: async () => ({ ca: api.pki.caPem, ...api.pki.kubeletClient.current }),
      agentDir: config.agentDir,
      runtimeDirs: config.runtimeDirs,
      unitsDir: config.unitsDir,
    })
    await startIn(stack, informers, signal)
    await startIn(stack, machines, signal)

    const etcd =
      config.serveEtcdPort === undefined
        ? undefined
        : await serveEtcd(
            config.serveEtcdPort,
            { ...deps, ...api, stateDir: config.stateDir, logger: logger.child({ part: 'etcd' }) },
            stack,
          )

    // The person at the desktop is the cluster's administrator: the same rights as with the exported kubeconfig.
    const client = api.server.clientFor({ name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }, 'flotilla-ui')
    const others = createHandlers(config, deps, { api, machines, client, startedAt })
    const metrics = createMetrics({
      client: machinesClient,
      ...{ clock, logger: logger.child({ part: 'metrics' }) },
      dir: paths(config.stateDir).metrics,
      cpuTime: threadCpuTime,
    })
    await startIn(stack, metrics, signal)
    const handlers: Handlers<Channels> = { ...others, ...metrics.handlers }
    const info = {
      name: api.cluster.name,
      server: api.url,
      kubeconfig: paths(config.stateDir).kubeconfig,
      stateDir: config.stateDir,
      ...(etcd ? { etcd } : {}),
    }
    running = { info, handlers, client }
    onServing()
    await startManagers(api, config, deps, stack, signal)
    stack.use(await listenControl(controlSocketPath(config.stateDir), (port) => serveConnection(port, CHANNELS, handlers, describeFailure)))
    logger.info('the plane is ready', { server: api.url, milliseconds: Math.round(clock.now() - startedAt) })
  })
  const ready = () => {
    if (!running) throw new Error('the plane is not ready')
    return running
  }
  return componentWith(base, {
    get info() {
      return ready().info
    },
    get handlers() {
      return ready().handlers
    },
    get client() {
      return ready().client
    },
  })
}

/** Milliseconds. */
function threadCpuTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function createHandlers(
  config: PlaneConfig,
  { clock, random }: PlaneDeps,
  { api, machines, client, startedAt }: { api: Api; machines: Machines; client: Client; startedAt: number },
): Omit<Handlers<Channels>, keyof typeof METRICS_CHANNELS> {
  const text = (failure: unknown) => (failure instanceof Error ? failure.message : String(failure))
  return {
    async 'app.info'() {
      const sandbox = await sandboxSupport()
      const shell = await loadNodePty().then(() => null, text)
      return {
        version: config.version,
        kubernetesVersion: 'v1.36',
        face: config.face,
        platform: process.platform,
        stateDir: config.stateDir,
        lacks: { ...(sandbox ? { sandbox: sandbox.message } : {}), ...(shell ? { localShell: shell } : {}) },
      }
    },
    async 'app.doctor'() {
      const here = diagnose(config)
      const [all, nodes] = await Promise.all([client.list(machineKind), client.list(nodeKind)])
      const there = diagnoseMachines({
        clock,
        machines: all.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined),
        node: (name) => nodes.items.find(({ metadata }) => metadata.name === name),
        run: (options, exec) => machines.run(options, exec),
        agent: (name, signal) => machines.examine(name, signal),
        agentSha256: () => machines.agentSha256(),
      })
      return [...(await here), authorityCheck(api.pki.caPem, clock.now()), ...(await there)]
    },
    ...kubeHandlers({ client, clock, random, kinds: KINDS }),
    ...clusterHandlers({ name: api.cluster.name, server: api.url, startedAt, store: api.store, kubeconfig: api.kubeconfig, clock }),
    ...storeHandlers(api.store),
    ...terminalHandlers(paths(config.stateDir).kubeconfig),
    ...machineHandlers(machines),
    ...virtualHandlers(machines, config.stateDir),
    ...imageHandlers({ client, machines }),
    ...helmHandlers({ client, clock, kubeconfig: paths(config.stateDir).kubeconfig, path: process.env['PATH'] ?? '' }),
  }
}
