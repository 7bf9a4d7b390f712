/** A kubelet on a runtime in memory and the real API server, on a clock that the test moves. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Emitter } from '../../base/events.ts'
import { settle, type FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { startTestServer } from '../../apiserver/testing/harness.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import type { GroupLimits } from '../cgroups/hierarchy.ts'
import { Checkpoints } from '../checkpoint/checkpoints.ts'
import { createKubelet } from '../kubelet/kubelet.ts'
import type { Kubelet } from '../kubelet/kubelet.ts'
import type { Mounts } from '../kubelet/volumes/mounts.ts'
import { FakeCri } from '../runtime/testing/fake-cri.ts'
import { UsageSampler } from '../stats/usage-sampler.ts'

export interface FakeNode extends AsyncDisposable {
  /** What the API server's other users do. */
  readonly client: Client
  readonly cri: FakeCri
  readonly clock: FakeClock
  readonly events: string[]
  readonly groups: Map<string, GroupLimits>
  readonly kubelet: Kubelet
  create(name: string, spec: Draft<Pod['spec']>): Promise<Pod>
  get(name: string): Promise<Pod>
  remove(name: string, gracePeriodSeconds?: number): Promise<void>
  patch(name: string, spec: unknown, subresource?: string): Promise<void>
  /** Moves time in small steps, at most `most` milliseconds, until it holds. */
  until<T>(what: string, holds: () => Promise<T | false | null | undefined> | T | false | null | undefined, most?: number): Promise<T>
  /** Moves time on. */
  pass(ms: number): Promise<void>
  /** A new kubelet in the place of the old one. The API server answers it only after what is done meanwhile. */
  restart(meanwhile?: () => Promise<unknown>): Promise<void>
}

const NODE = 'moth'
/** Milliseconds. */
const STEP = 100

export async function openFakeNode(): Promise<FakeNode> {
  await using undo = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'kubelet-'))
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  const server = await startTestServer()
  undo.defer(() => server.stop())
  const { clock, client } = server
  const cri = new FakeCri(clock)
  cri.addImage('busybox:1')
  const events: string[] = []
  const groups = new Map<string, GroupLimits>()
  const config: AgentConfig = {
    nodeName: NODE,
    nodeIP: '192.168.1.2',
    labels: {},
    clusterDomain: 'cluster.local',
    serviceCIDR: '10.96.0.0/16',
    clusterCIDR: '10.244.0.0/16',
    apiVip: '10.96.0.1',
    dnsVip: '10.96.0.10',
    caFile: '',
    bootstrapTokenFile: '',
    apiPortFile: join(dir, 'link/api-port'),
    stateDir: dir,
    logDir: join(dir, 'log'),
    containerdSocket: '',
    cniBinDir: '',
    cniConfDir: '',
    port: 10250,
    serviceManager: 'none',
  }

  const start = async (meanwhile: () => Promise<unknown> = async () => undefined) => {
    await using parts = new AsyncDisposableStack()
    const random = seededRandom(1)
    const logger = silentLogger
    const informers = parts.use(createInformers(client, { clock, logger, random }))
    const kubelet = createKubelet({
      ...{ config, version: 'v1.36.4', clock, random, logger, client, informers, cri, runtimeEvents: cri.events },
      reconnected: new Emitter<void>(),
      events: { event: ({ name }, type, reason, message) => void events.push(`${name}: ${type} ${reason}: ${message}`) },
      checkpoints: new Checkpoints(join(dir, 'checkpoints'), { random, logger }),
      images: { view: async () => [], remove: async () => undefined },
      mounts: NO_MOUNTS,
      sampler: new UsageSampler({ cri, clock }),
      cgroups: {
        version: 1,
        ensure: async (path, limits) => void groups.set(path, limits),
        remove: async (path) => groups.delete(path) || true,
        children: async () => [],
      },
    })
    parts.use(kubelet)
    await kubelet.start()
    await meanwhile()
    void informers.start().catch(() => undefined)
    const running = parts.move()
    return { kubelet, stop: () => running.disposeAsync() }
  }
  let current = await start()
  undo.defer(fileSystemQuiet)
  undo.defer(() => current.stop())
  const all = undo.move()

  const at = (name: string) => ({ namespace: 'default', name })
  const node: FakeNode = {
    client,
    cri,
    clock,
    events,
    groups,
    get kubelet() {
      return current.kubelet
    },
    create: (name, spec) =>
      client.create(podKind, {
        metadata: at(name),
        spec: {
          nodeName: NODE,
          ...spec,
          containers: spec.containers?.map((container) => ({ image: 'busybox:1', imagePullPolicy: 'IfNotPresent', ...container })) ?? [],
        },
      }),
    get: (name) => client.get(podKind, at(name)),
    remove: async (name, gracePeriodSeconds) =>
      void (await client.delete(podKind, at(name), gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })),
    patch: async (name, spec, subresource) =>
      void (await client.patch(podKind, at(name), { type: 'strategic', body: { spec } }, subresource ? { subresource } : {})),
    async until(what, holds, most = 60_000) {
      for (let passed = 0; ;) {
        await fileSystemQuiet()
        const found = await holds()
        if (found) return found
        if (passed > most)
          throw new Error(
            `after ${most} ms it does not hold that ${what}; calls were\n${cri.calls.join('\n')}\nevents\n${events.join('\n')}`,
          )
        await clock.advance(STEP)
        passed += STEP
      }
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= 5000) {
        await clock.advance(Math.min(left, 5000))
        await fileSystemQuiet()
      }
    },
    async restart(meanwhile) {
      await current.stop()
      current = await start(meanwhile)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
  return node
}

/** Time stands still for the disk: what reads and writes is done before the clock moves on. */
async function fileSystemQuiet(): Promise<void> {
  do await settle()
  while (process.getActiveResourcesInfo().some((resource) => resource.startsWith('FSReq') || resource === 'CloseReq'))
}

const NO_MOUNTS: Mounts = {
  below: async () => [],
  isMounted: async () => false,
  mount: async () => undefined,
  bind: async () => undefined,
  unmount: async () => undefined,
}
