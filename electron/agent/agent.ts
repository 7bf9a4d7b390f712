/** Everything that runs on a worker, as one component. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { Emitter } from '../base/events.ts'
import { component, startIn, componentWith } from '../base/lifecycle.ts'
import type { Component } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import { pod as podKind } from '../api/core/v1/pod.ts'
import type { AgentConfig } from '../api/infra/v1alpha1/agent-config.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import type { Informers } from '../client/informer.ts'
import { createInformers } from '../client/informers.ts'
import { createRemoteClient } from '../client/remote-client.ts'
import { createNodeIdentity } from './bootstrap/node-identity.ts'
import { openCgroups } from './cgroups/hierarchy.ts'
import { Checkpoints } from './checkpoint/checkpoints.ts'
import { endAllPods } from './kubelet/end-pods.ts'
import { createKubelet } from './kubelet/kubelet.ts'
import { recorderSink } from './kubelet/recorder-sink.ts'
import { localVolumeRoutes, LocalVolumes } from './kubelet/volumes/local-volumes.ts'
import { systemMounts } from './kubelet/volumes/mounts.ts'
import { CRI_NAMESPACE, createContainerdEvents } from './runtime/containerd-events.ts'
import { CriClient } from './runtime/cri-client.ts'
import { TaskExecutor } from './runtime/exec.ts'
import { GrpcConnection } from './runtime/grpc.ts'
import { SnapshotViews } from './runtime/image-view.ts'
import { findSnapshotter } from './runtime/snapshotter.ts'
import { createAgentServer } from './server/agent-server.ts'
import { PodLookup } from './server/pod-lookup.ts'
import { podRoutes } from './server/pod-routes.ts'
import { processMetrics } from './stats/process-metrics.ts'
import { SandboxNetworks } from './stats/sandbox-networks.ts'
import { statsRoutes } from './stats/stats-routes.ts'
import { SummarySource } from './stats/summary.ts'
import { UsageSampler } from './stats/usage-sampler.ts'
import type { Programs } from './upgrade/programs.ts'
import { upgradeRoutes } from './upgrade/routes.ts'
import { uninstallRoute } from './uninstall/uninstall.ts'

/** What a part of the agent beside the kubelet is given: pod network, Service proxy, DNS, API relay. */
export interface AgentContext {
  readonly config: AgentConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly client: Client
  /** Started once all parts have asked for theirs. */
  readonly informers: Informers
  /** The last seen state of API objects, for when the API server does not answer. */
  readonly checkpoints: Checkpoints
  /** The control plane has connected anew: whatever waits to try again need not wait on. */
  readonly reconnected: Emitter<void>
}

/** Its `start` must not wait for the API server. */
export type AgentPart = (context: AgentContext) => Component

export interface AgentOptions {
  readonly config: AgentConfig
  /** "v1.36.4+flotilla.0.1.0" */
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Started in this order, before the kubelet. */
  readonly parts: readonly AgentPart[]
  /** Removes all of Flotilla from this machine, in a process of its own. */
  readonly removeAll: () => void
  /** Its own program, which the control plane may replace. */
  readonly programs: Programs
  /** Where the API server is reached; absent: at its address in the cluster, which a part relays. */
  readonly apiUrl?: string
}

export interface Agent extends Component {
  /** Ends containers in an orderly way and says that the node goes: the machine is being shut down. */
  shutDown(signal: AbortSignal): Promise<void>
}

/** `start` waits for the cluster only when this node has never been part of it. Disposing leaves containers running. */
export function createAgent(options: AgentOptions): Agent {
  const { config, version, clock, random, logger } = options
  let shutDown: Agent['shutDown'] = async () => undefined

  const base = component(async (stack, signal) => {
    const caPem = await readFile(config.caFile, 'utf8')
    const reconnected = new Emitter<void>()
    const identity = createNodeIdentity({ config, clock, random, logger, api: () => client, reconnected })
    const client = stack.use(
      createRemoteClient({
        server: options.apiUrl ?? `https://${config.apiVip}`,
        ca: caPem,
        servername: 'kubernetes.default.svc',
        identity: () => identity.credentials(),
        userAgent: `flotilla-agent/${version}`,
        clock,
      }),
    )
    const informers = createInformers(client, { clock, logger: patient(logger), random })
    const checkpoints = new Checkpoints(join(config.stateDir, 'checkpoints'), { random, logger })
    stack.use(reconnected.on(() => informers.retryNow()))
    const context: AgentContext = { config, clock, random, logger, client, informers, checkpoints, reconnected }
    for (const part of options.parts) await startIn(stack, part(context), signal)
    await startIn(stack, identity, signal)
    // A node that has run pods goes on with them, whatever has become of its certificate.
    const isNew = identity.client.current === null && (await checkpoints.loadAll(podKind)).length === 0
    if (isNew) await identity.client.whenIssued(signal)

    const recorder = stack.use(createEventRecorder({ client, component: 'kubelet', host: config.nodeName, clock, logger }))
    const cri = stack.use(new CriClient(config.containerdSocket, clock))
    const connection = stack.use(new GrpcConnection(`unix://${config.containerdSocket}`, clock, { 'containerd-namespace': CRI_NAMESPACE }))
    const runtimeEvents = await startIn(stack, createContainerdEvents({ connection, clock, logger }), signal)
    const now = () => clock.now()
    const images = new SnapshotViews(connection, () => findSnapshotter(cri), now)
    const cgroups = await openCgroups()
    const events = recorderSink(recorder)
    const sampler = new UsageSampler({ cri, clock })
    const kubelet = createKubelet({
      ...{
        config,
        version,
        clock,
        random,
        logger,
        client,
        informers,
        events,
        checkpoints,
        cri,
        runtimeEvents,
        images,
        cgroups,
        sampler,
        reconnected,
      },
      mounts: systemMounts,
    })
    await startIn(stack, kubelet, signal)
    stack.use(informers)
    void informers.start(signal).catch(() => undefined)

    const { cache } = kubelet
    const pods = kubelet.pods.manager
    const lookup = new PodLookup({ pods, cache, logRoot: () => kubelet.node.facts().logRoot })
    const executor = new TaskExecutor({ connection, clock, random, dir: join(config.stateDir, 'exec') })
    const { routes, upgrades } = podRoutes({ lookup, pods, cache, cri, executor, clock })
    const summary = new SummarySource({
      ...{ nodeName: config.nodeName, clock, pods, cache, sampler, networks: new SandboxNetworks(cri) },
      disks: () => ({ state: config.stateDir, images: kubelet.node.imageDisk() }),
      memoryCapacity: () => kubelet.node.machine.memoryBytes,
    })
    const endPods = (abort: AbortSignal) => endAllPods(kubelet, true, abort)
    const server = createAgentServer({
      port: config.port,
      caPem,
      identity: identity.serving,
      logger,
      routes: [
        ...routes,
        ...localVolumeRoutes(new LocalVolumes(config.stateDir)),
        ...statsRoutes({ sampler, summary, cache, process: processMetrics }),
        ...upgradeRoutes(options.programs),
        uninstallRoute({ clock, logger, endPods, removeAll: options.removeAll }),
      ],
      upgrades,
    })
    await startIn(stack, server, signal)
    shutDown = async (abort) => {
      await kubelet.node.leave('node is shutting down').catch(() => undefined)
      await endAllPods(kubelet, false, abort)
    }
    logger.info('the agent is up', { node: config.nodeName, version })
  })

  return componentWith(base, {
    shutDown: (signal) => shutDown(signal),
  })
}

/** That the API server is away is nothing to warn of: it is on somebody's desktop. */
function patient(logger: Logger): Logger {
  return { ...logger, warn: (message, fields) => logger.debug(message, fields), child: (fields) => patient(logger.child(fields)) }
}
