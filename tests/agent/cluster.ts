/** One node with the real API server on the memory store, the real containerd, and the kubelet in this process. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { Emitter } from '../../electron/base/events.ts'
import { jsonLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { event as eventKind } from '../../electron/api/core/v1/event.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from '../../electron/api/core/v1/types.gen.ts'
import type { AgentConfig } from '../../electron/api/infra/v1alpha1/agent-config.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { openCgroups } from '../../electron/agent/cgroups/hierarchy.ts'
import { Checkpoints } from '../../electron/agent/checkpoint/checkpoints.ts'
import { recorderSink } from '../../electron/agent/kubelet/recorder-sink.ts'
import { createKubelet } from '../../electron/agent/kubelet/kubelet.ts'
import type { Kubelet } from '../../electron/agent/kubelet/kubelet.ts'
import type { LogRotationOptions } from '../../electron/agent/kubelet/gc/log-rotation.ts'
import { systemMounts } from '../../electron/agent/kubelet/volumes/mounts.ts'
import { createContainerdEvents } from '../../electron/agent/runtime/containerd-events.ts'
import { GrpcConnection } from '../../electron/agent/runtime/grpc.ts'
import { findSnapshotter } from '../../electron/agent/runtime/snapshotter.ts'
import { SnapshotViews } from '../../electron/agent/runtime/image-view.ts'
import { UsageSampler } from '../../electron/agent/stats/usage-sampler.ts'
import { createApiServer } from '../../electron/apiserver/apiserver.ts'
import type { ApiServer } from '../../electron/apiserver/apiserver.ts'
import type { Client } from '../../electron/client/client.ts'
import { createEventRecorder } from '../../electron/client/event-recorder.ts'
import { createInformers } from '../../electron/client/informers.ts'
import { createMemoryStore } from '../../electron/store/memory/memory-store.ts'
import { BUSYBOX_IMAGE, openLab } from './lab.ts'
import type { Lab } from './lab.ts'

export const NODE = 'moth'
const NODE_USER = { name: `system:node:${NODE}`, groups: ['system:nodes', 'system:authenticated'] }
const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

export interface TestCluster extends AsyncDisposable {
  readonly lab: Lab
  readonly server: ApiServer
  readonly client: Client
  readonly config: AgentConfig
  readonly kubelet: Kubelet
  /** Ends the kubelet and begins another one in its place. */
  restartKubelet(): Promise<void>
  /** Makes a pod on the node; returns it as created. */
  createPod(name: string, spec: PodDraft, metadata?: Draft<Pod['metadata']>): Promise<Pod>
  pod(name: string): Promise<Pod>
  deletePod(name: string, gracePeriodSeconds?: number): Promise<void>
  /** Resolves with the pod when `ready` holds; fails with what was seen last. */
  until(name: string, ready: (pod: Pod) => unknown, timeout?: number): Promise<Pod>
  untilGone(name: string, timeout?: number): Promise<void>
  /** Texts of events about the pod: "Reason: message". */
  events(name: string): Promise<string[]>
  apply(kind: 'configMap' | 'secret', name: string, data: Record<string, string>): Promise<void>
  /** Output of a command in the pod's container. */
  sh(name: string, script: string, container?: string): Promise<string>
}

export type PodDraft = Draft<Omit<PodSpec, 'containers' | 'initContainers'>> & {
  containers: Draft<Container>[]
  initContainers?: Draft<Container>[]
}

export interface TestClusterOptions {
  readonly network?: boolean
  readonly logRotation?: LogRotationOptions
}

export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  await using undo = new AsyncDisposableStack()
  const clock = systemClock
  const random = systemRandom
  const lines: string[] = []
  const sink = (line: string) => void (process.env['AGENT_LOG'] ? process.stderr.write(line) : lines.push(line))
  const logger = jsonLogger({ clock, sink, level: process.env['AGENT_LOG'] === 'debug' ? 'debug' : 'info' })
  const lab = undo.use(await openLab(options))
  const store = undo.use(createMemoryStore({ clock, random }))
  const server = undo.use(createApiServer({ store, clock, random, logger, admission: { disabled: ['ServiceAccount'] } }))
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  const client = server.clientFor(ADMIN)
  await client.create(namespaceKind, { metadata: { name: 'kube-node-lease' } }).catch(() => undefined)
  const config = await configOf(lab)
  let part = await startKubelet({ lab, server, config, logger, options })
  undo.defer(() => part.stop())
  const cleanup = undo.move()

  const pod = (name: string) => client.get(podKind, { namespace: 'default', name })
  const until = async (name: string, ready: (pod: Pod) => unknown, timeout = 30_000) => {
    const end = Date.now() + timeout
    for (;;) {
      const found = await pod(name)
      if (ready(found)) return found
      if (Date.now() > end) {
        const told = (await cluster.events(name)).join('\n')
        throw new Error(
          `timed out waiting for pod ${name}: ${JSON.stringify(found.status, null, 1)}\n${told}\n${lines.slice(-20).join('')}`,
        )
      }
      await sleep(clock, 50)
    }
  }
  const cluster: TestCluster = {
    lab,
    server,
    client,
    config,
    get kubelet() {
      return part.kubelet
    },
    async restartKubelet() {
      await part.stop()
      part = await startKubelet({ lab, server, config, logger, options })
    },
    createPod: (name, spec, metadata = {}) =>
      client.create(podKind, {
        metadata: { namespace: 'default', name, ...metadata },
        spec: {
          nodeName: NODE,
          terminationGracePeriodSeconds: 5,
          ...spec,
          containers: spec.containers.map(withImage),
          ...(spec.initContainers ? { initContainers: spec.initContainers.map(withImage) } : {}),
        },
      }),
    pod,
    deletePod: async (name, gracePeriodSeconds) =>
      void (await client.delete(podKind, { namespace: 'default', name }, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })),
    until,
    async untilGone(name, timeout = 30_000) {
      const end = Date.now() + timeout
      for (;;) {
        const found = await pod(name).catch(() => null)
        if (!found) return
        if (Date.now() > end) throw new Error(`pod ${name} is still there: ${JSON.stringify(found, null, 1)}\n${lines.slice(-20).join('')}`)
        await sleep(clock, 50)
      }
    },
    async events(name) {
      const { items } = await client.list(eventKind, { namespace: 'default' })
      const about = items.filter((e) => e.involvedObject.name === name)
      return about.map(({ reason, message }) => `${reason}: ${message}`)
    },
    async apply(kind, name, data) {
      const at = { namespace: 'default', name }
      if (kind === 'configMap') {
        await client.delete(configMap, at).catch(() => undefined)
        await client.create(configMap, { metadata: at, data })
      } else {
        const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
        await client.delete(secret, at).catch(() => undefined)
        await client.create(secret, { metadata: at, data: encoded })
      }
    },
    async sh(name, script, container) {
      const { status, spec } = await pod(name)
      const wanted = container ?? spec.containers[0]?.name ?? ''
      const id = containerStatus(status.containerStatuses, wanted).containerID?.replace('containerd://', '') ?? ''
      const { stdout, stderr, exitCode } = await lab.cri.execSync(id, ['sh', '-c', script], 20)
      if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${Buffer.from(stderr).toString()}`)
      return Buffer.from(stdout).toString()
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
  return cluster
}

/** What is told of the container; blank while nothing is. */
export function containerStatus(statuses: readonly ContainerStatus[] | undefined, name: string): ContainerStatus {
  const blank: ContainerStatus = { name, image: '', imageID: '', ready: false, restartCount: 0, state: {}, lastState: {} }
  return statuses?.find((status) => status.name === name) ?? blank
}

function withImage(container: Draft<Container>): Draft<Container> {
  return { image: BUSYBOX_IMAGE, imagePullPolicy: 'IfNotPresent', ...container }
}

export async function configOf(lab: Lab): Promise<AgentConfig> {
  const stateDir = join(lab.dir, 'agent')
  const logDir = join(lab.dir, 'log')
  await mkdir(stateDir, { recursive: true })
  await mkdir(logDir, { recursive: true })
  return {
    nodeName: NODE,
    nodeIP: '127.0.0.1',
    labels: { 'flotilla.dev/test': 'yes' },
    clusterDomain: 'cluster.local',
    serviceCIDR: '10.96.0.0/16',
    clusterCIDR: '10.244.0.0/16',
    apiVip: '10.96.0.1',
    dnsVip: '10.96.0.10',
    caFile: join(lab.dir, 'ca.crt'),
    bootstrapTokenFile: join(lab.dir, 'token'),
    apiPortFile: join(lab.dir, 'api-port'),
    stateDir,
    logDir,
    containerdSocket: lab.socket,
    cniBinDir: lab.cniBinDir,
    cniConfDir: lab.cniConfDir,
    port: 10250,
    serviceManager: 'none',
    cgroupRoot: lab.cgroupRoot,
  }
}

interface KubeletInput {
  readonly lab: Lab
  readonly server: ApiServer
  readonly config: AgentConfig
  readonly logger: ReturnType<typeof jsonLogger>
  readonly options: TestClusterOptions
}

async function startKubelet({ lab, server, config, logger, options }: KubeletInput) {
  const clock = systemClock
  const random = systemRandom
  await using undo = new AsyncDisposableStack()
  const client = server.clientFor(NODE_USER)
  const informers = undo.use(createInformers(client, { clock, logger }))
  const recorder = undo.use(createEventRecorder({ client, component: 'kubelet', host: NODE, clock, logger }))
  const connection = undo.use(new GrpcConnection(`unix://${lab.socket}`, clock, { 'containerd-namespace': 'k8s.io' }))
  const runtimeEvents = undo.use(createContainerdEvents({ connection, clock, logger }))
  const kubelet = createKubelet({
    config,
    version: 'v1.36.4+flotilla.test',
    ...{ clock, random, logger, client, informers, runtimeEvents, reconnected: new Emitter<void>() },
    events: recorderSink(recorder),
    checkpoints: new Checkpoints(join(config.stateDir, 'checkpoints'), { random, logger }),
    cri: lab.cri,
    images: new SnapshotViews(
      connection,
      () => findSnapshotter(lab.cri),
      () => clock.now(),
    ),
    mounts: systemMounts,
    sampler: new UsageSampler({ cri: lab.cri, clock }),
    cgroups: await openCgroups(),
    ...(options.logRotation ? { logRotation: options.logRotation } : {}),
  })
  undo.use(kubelet)
  await runtimeEvents.start()
  await kubelet.start()
  void informers.start().catch(() => undefined)
  const parts = undo.move()
  return { kubelet, stop: () => parts.disposeAsync() }
}
