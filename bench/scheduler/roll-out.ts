/**
 * Deployments on nodes without machines, from their creation until every pod runs: API server on a durable store, all controllers, the
 * scheduler and the simulated kubelets in one process; then what all this costs while nothing happens, and the death of one node. Sizes
 * come from `NODES`, `PODS` and `DEPLOYMENTS`. Every placement is checked.
 */
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { service as serviceKind } from '../../electron/api/core/v1/service.ts'
import { createApiServer } from '../../electron/apiserver/apiserver.ts'
import { deferred } from '../../electron/base/async.ts'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { createControllers } from '../../electron/controllers/controllers.ts'
import { isConditionTrue } from '../../electron/machinery/conditions.ts'
import { createScheduler } from '../../electron/scheduler/scheduler.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { createHollowKubelets } from '../../tests/simulation/hollow-kubelets.ts'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { CallRecorder } from './call-times.ts'
import { NAMESPACE } from './hollow-cluster.ts'
import { assertLegal } from './legality.ts'
import { AT_ONCE, killNode } from './node-death.ts'

const NODES = Number(process.env['NODES'] ?? 1000)
const PODS = Number(process.env['PODS'] ?? 30_000)
const DEPLOYMENTS = Number(process.env['DEPLOYMENTS'] ?? 30)
/** Pods a second in the cluster load tests of SIG Scalability. */
const RATE = 100
/** Seconds: SIG Scalability's objective for calls on one object, the 99th percentile. */
const LATENCY = 1
/** Seconds until a dead node's pods have others in their place. */
const REPLACED = 2
/** Milliseconds. */
const ASK_EVERY = 50
const LOOK_EVERY = 5000
const SETTLES_WITHIN = 300_000
const IDLE_FOR = 20_000
/** Writes a second of a node that only says that it is there: its lease every 10 s, and some more. */
const BEATS = 0.15

export async function* rollOut(dir: string): AsyncIterable<Measure> {
  await using stack = new AsyncDisposableStack()
  const common = { clock: systemClock, logger: silentLogger, random: seededRandom(1) }
  const store = stack.use(await createEmbeddedStore({ dir, ...common }))
  const server = stack.use(createApiServer({ store, ...common, admission: { disabled: ['ServiceAccount'] } }))
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  const client = server.clientFor({ name: 'bench', groups: ['system:masters'] })
  const calls = new CallRecorder()
  const heard = { ...common, client: calls.listen(client) }
  await client.create(namespaceKind, { metadata: { name: NAMESPACE } })
  const nodes = Array.from({ length: NODES }, (_, i) => ({ name: `node-${i}`, capacity: { cpu: '32', memory: '256Gi' } }))
  await stack.use(createControllers(heard)).start()
  await stack.use(createScheduler(heard)).start()
  const kubelets = stack.use(createHollowKubelets({ ...heard, nodes, admission: false }))
  await kubelets.start()
  const registering = performance.now()
  await untilOpen(client)
  process.stderr.write(`${NODES} nodes are ready after ${((performance.now() - registering) / 1000).toFixed(1)} s\n`)
  calls.forget()

  const progress = new Progress(client)
  await progress.watching
  const probing = probe(client, calls)
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  for (let i = 0; i < DEPLOYMENTS; i++) await deploy(client, i)
  const seconds = (until: number) => (until - began) / 1000
  const [created, bound, running] = [await progress.created, await progress.bound, await progress.running].map(seconds) as [
    number,
    number,
    number,
  ]
  const used = process.cpuUsage(cpu)
  probing[Symbol.dispose]()
  progress.stop()
  assertLegal((await client.list(nodeKind)).items, (await client.list(podKind, { namespace: NAMESPACE })).items)

  await untilStill(client)
  const idle = await idleShare()

  // Of another name than the one that reads are made of.
  const victim = `node-${NODES - 1}`
  const death = await killNode(client, kubelets, victim, NAMESPACE)

  const what = `roll-out of ${PODS} pods on ${NODES} nodes`
  const peer = "peer: load of upstream's scalability tests"
  const memory = `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB resident`
  const perPod = `${((used.user + used.system) / 1000 / PODS).toFixed(2)} ms of CPU and ${(calls.count() / PODS).toFixed(1)} calls a pod`
  yield moreIsBetter(`${what}, Deployment to created`, 'pods/s', PODS / created, RATE, peer)
  yield moreIsBetter(`${what}, Deployment to bound`, 'pods/s', PODS / bound, RATE, peer)
  yield moreIsBetter(`${what}, Deployment to running`, 'pods/s', PODS / running, RATE, `${memory}, ${perPod}; ${peer}`)
  const slowest = calls.byCall().slice(0, 5)
  const note = slowest.map(({ call, count, p99 }) => `${call} ${p99.toPrecision(2)} s of ${count}`).join(', ')
  yield lessIsBetter(`${what}, p99 of calls`, 's', calls.p99(), LATENCY, `slowest: ${note}; peer: SIG Scalability's objective`)
  yield lessIsBetter(
    `${NODES} nodes with ${PODS} pods while nothing happens`,
    '% of a core',
    idle,
    null,
    'heartbeats of all nodes included',
  )
  const after = `death of a node with ${death.pods} of ${PODS} pods, from its taint to replacements bound`
  yield lessIsBetter(after, 's', death.seconds, REPLACED, 'peer: what we allow ourselves')
}

/** Until all that was to be told of the pods is written, the scheduler's Events last. */
async function untilStill(client: Client): Promise<void> {
  const revision = async () => Number((await client.list(nodeKind, { limit: 1 })).metadata.resourceVersion)
  const until = performance.now() + SETTLES_WITHIN
  let last = await revision()
  do {
    await sleep(systemClock, LOOK_EVERY)
    const now = await revision()
    if (((now - last) * 1000) / LOOK_EVERY <= NODES * BEATS) return
    last = now
  } while (performance.now() < until)
  throw new Error('the cluster does not come to rest')
}

/** Processor time of all threads, as a percentage. */
async function idleShare(): Promise<number> {
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  await sleep(systemClock, IDLE_FOR)
  const { user, system } = process.cpuUsage(cpu)
  return (user + system) / 10 / (performance.now() - began)
}

/** A Deployment and the Service before it. */
async function deploy(client: Client, index: number): Promise<void> {
  const labels = { app: 'bench', part: `part-${index}` }
  const containers = [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '100m', memory: '500Mi' } } }]
  const metadata = { name: `part-${index}`, namespace: NAMESPACE }
  await client.create(serviceKind, { metadata, spec: { selector: labels, ports: [{ port: 80 }] } })
  const replicas = Math.floor(PODS / DEPLOYMENTS) + (index < PODS % DEPLOYMENTS ? 1 : 0)
  const template = { metadata: { labels }, spec: { containers, tolerations: AT_ONCE } }
  await client.create(deployment, { metadata, spec: { replicas, selector: { matchLabels: labels }, template } })
}

async function untilOpen(client: Client): Promise<void> {
  const open = async () =>
    (await client.list(nodeKind)).items.filter(({ spec, status }) => !spec.taints?.length && isConditionTrue(status.conditions, 'Ready'))
  while ((await open()).length < NODES) await sleep(systemClock, 2000)
}

/** Somebody else's reads. Counted from when each should have been sent: what a busy thread comes to late has waited, too. */
function probe(client: Client, calls: CallRecorder): Disposable {
  let due = performance.now()
  return systemClock.setInterval(() => {
    for (; due <= performance.now(); due += ASK_EVERY) {
      const asked = due
      void client.get(nodeKind, { name: 'node-0' }).then(() => calls.note('get nodes from outside', (performance.now() - asked) / 1000))
    }
  }, ASK_EVERY)
}

/** When the last pod was created, bound, and running. */
class Progress {
  readonly #watching = deferred<void>()
  readonly #reached = { created: deferred<number>(), bound: deferred<number>(), running: deferred<number>() }
  readonly #stopping = new AbortController()

  constructor(client: Client) {
    void this.#follow(client).catch((error: unknown) => {
      for (const one of Object.values(this.#reached)) one.reject(error)
    })
  }

  get watching(): Promise<void> {
    return this.#watching.promise
  }
  get created(): Promise<number> {
    return this.#reached.created.promise
  }
  get bound(): Promise<number> {
    return this.#reached.bound.promise
  }
  get running(): Promise<number> {
    return this.#reached.running.promise
  }

  stop(): void {
    this.#stopping.abort()
  }

  async #follow(client: Client): Promise<void> {
    const [created, bound, running] = [new Set<string>(), new Set<string>(), new Set<string>()]
    const { metadata } = await client.list(podKind, { namespace: NAMESPACE })
    const watch = client.watch(podKind, {
      ...{ namespace: NAMESPACE, resourceVersion: metadata.resourceVersion ?? '', signal: this.#stopping.signal },
      onOpen: () => this.#watching.resolve(),
    })
    for await (const { object } of watch) {
      if (!('spec' in object)) continue
      const { uid } = object.metadata
      created.add(uid)
      if (object.spec.nodeName) bound.add(uid)
      if (object.status.phase === 'Running') running.add(uid)
      for (const [set, reached] of [
        [created, this.#reached.created],
        [bound, this.#reached.bound],
        [running, this.#reached.running],
      ] as const) {
        if (set.size >= PODS) reached.resolve(performance.now())
      }
      if (running.size >= PODS) return
    }
  }
}
