/** The whole way: Deployments to ready pods, with all controllers, the scheduler, and simulated kubelets in one process. */
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { createApiServer } from '../../electron/apiserver/apiserver.ts'
import { deferred } from '../../electron/base/async.ts'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import { createControllers } from '../../electron/controllers/controllers.ts'
import { isConditionTrue } from '../../electron/machinery/conditions.ts'
import { createScheduler } from '../../electron/scheduler/scheduler.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { createHollowKubelets } from '../../tests/simulation/hollow-kubelets.ts'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { NAMESPACE, whenBound } from './hollow-cluster.ts'
import { assertLegal } from './legality.ts'

const NODES = Number(process.env['NODES'] ?? 1000)
const DEPLOYMENTS = 30
const PODS = Number(process.env['PODS'] ?? 30_000)
/** What upstream's scalability tests demand (SIG Scalability, "API call latency"): seconds. */
const LATENCY = 1
/** Milliseconds. */
const ASK_EVERY = 50
/** Pods a second in upstream's cluster load tests. */
const RATE = 100

export async function* rollOut(dir: string): AsyncIterable<Measure> {
  await using stack = new AsyncDisposableStack()
  const common = { clock: systemClock, logger: silentLogger, random: seededRandom(1) }
  const store = stack.use(await createEmbeddedStore({ dir, ...common }))
  const server = stack.use(createApiServer({ store, ...common, admission: { disabled: ['ServiceAccount'] } }))
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  const client = server.clientFor({ name: 'bench', groups: ['system:masters'] })
  await client.create(namespaceKind, { metadata: { name: NAMESPACE } })
  const nodes = Array.from({ length: NODES }, (_, i) => ({ name: `node-${i}`, capacity: { cpu: '32', memory: '256Gi' } }))
  await stack.use(createControllers({ client, ...common })).start()
  await stack.use(createScheduler({ client, ...common })).start()
  await stack.use(createHollowKubelets({ client, ...common, nodes, admission: false })).start()
  const open = async () =>
    (await client.list(nodeKind)).items.filter(({ spec, status }) => !spec.taints?.length && isConditionTrue(status.conditions, 'Ready'))
  while ((await open()).length < NODES) await sleep(systemClock, 500)

  const watching = deferred<void>()
  const bound = whenBound(client, 'bench', PODS, () => watching.resolve())
  await watching.promise
  const latencies: number[] = []
  const began = performance.now()
  let due = began
  const timing = systemClock.setInterval(() => {
    // Counted from when each should have been sent: what a busy thread comes to late has waited, too.
    for (; due <= performance.now(); due += ASK_EVERY) {
      const asked = due
      void client.get(nodeKind, { name: 'node-0' }).then(() => latencies.push((performance.now() - asked) / 1000))
    }
  }, ASK_EVERY)
  for (let i = 0; i < DEPLOYMENTS; i++) {
    const labels = { app: 'bench', part: `part-${i}` }
    const containers = [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '100m', memory: '500Mi' } } }]
    const spec = {
      replicas: PODS / DEPLOYMENTS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    }
    await client.create(deployment, { metadata: { name: `part-${i}`, namespace: NAMESPACE }, spec })
  }
  await bound
  const seconds = (performance.now() - began) / 1000
  timing[Symbol.dispose]()
  assertLegal((await client.list(nodeKind)).items, (await client.list(podKind, { namespace: NAMESPACE })).items)
  const what = `roll-out of ${PODS} pods on ${NODES} nodes`
  const memory = `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB resident`
  yield moreIsBetter(
    `${what}, Deployment to bound`,
    'pods/s',
    PODS / seconds,
    RATE,
    `everything in one process, ${memory}; peer: load of upstream's scalability tests`,
  )
  latencies.sort((a, b) => a - b)
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0
  yield lessIsBetter(`${what}, p99 of GETs meanwhile`, 's', p99, LATENCY, "peer: what upstream's scalability tests allow")
}
