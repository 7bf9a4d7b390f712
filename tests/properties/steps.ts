/** What may happen to a cluster, as fast-check draws it. */
import fc from 'fast-check'
import { daemonSet } from '../../electron/api/apps/v1/daemon-set.ts'
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { statefulSet } from '../../electron/api/apps/v1/stateful-set.ts'
import { job } from '../../electron/api/batch/v1/job.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { resourceQuota } from '../../electron/api/core/v1/resource-quota.ts'
import type { Pod, PodTemplateSpec } from '../../electron/api/core/v1/types.gen.ts'
import type { Kind } from '../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../electron/api/meta/v1/object.ts'
import { podDisruptionBudget } from '../../electron/api/policy/v1/pod-disruption-budget.ts'
import { hasReason } from '../../electron/machinery/status.ts'
import { PREFIX, type Play } from '../simulation/behaviour.ts'
import type { Watcher } from './watcher.ts'
import { NAMESPACE, type World } from './world.ts'

const image = fc.constantFrom('app:1', 'app:2', 'app:3')
const few = (most: number) => fc.nat(most)
const of = <T extends string>(type: T) => ({ type: fc.constant(type) })

/** Somebody declares something else. */
const declared = fc.oneof(
  fc.record({
    ...of('deploy'),
    name: fc.constantFrom('web', 'api'),
    replicas: few(5),
    image: fc.oneof({ weight: 4, arbitrary: image }, { weight: 1, arbitrary: fc.constant('missing:1') }),
    surge: few(2),
    unavailable: few(2),
  }),
  fc.record({ ...of('serve'), replicas: few(3), image, partition: few(2), parallel: fc.boolean() }),
  fc.record({ ...of('daemon'), image, unavailable: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ ...of('work'), parallelism: fc.integer({ min: 1, max: 3 }), completions: fc.integer({ min: 1, max: 5 }), failures: few(2) }),
  fc.record({ ...of('drop'), what: fc.constantFrom('web', 'api', 'db', 'agent') }),
  fc.record({ ...of('quota'), pods: fc.integer({ min: 4, max: 20 }) }),
  fc.record({ ...of('budget'), minAvailable: few(3) }),
)

/** Something happens to pods and nodes. */
const disturbance = fc.oneof(
  fc.record({ ...of('evict'), index: few(9) }),
  fc.record({ ...of('delete pod'), index: few(9) }),
  fc.record({ ...of('cordon'), index: few(4), on: fc.boolean() }),
  fc.record({ ...of('silence'), index: few(4) }),
  fc.record({ ...of('wake'), rebooted: fc.boolean() }),
  fc.record(of('add node')),
  fc.record({ ...of('remove node'), index: few(4) }),
)

/** Something happens to the control plane. */
const fault = fc.oneof(
  fc.record({ ...of('crash'), manager: fc.constantFrom('controllers' as const, 'scheduler' as const) }),
  fc.record({ ...of('faults'), share: fc.constantFrom(0.05, 0.2), seconds: fc.integer({ min: 5, max: 60 }) }),
  fc.record({ ...of('partition'), seconds: fc.integer({ min: 1, max: 60 }) }),
)

const wait = fc.record({ ...of('wait'), seconds: fc.integer({ min: 1, max: 90 }) })

type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never
export type Step = Drawn<typeof declared> | Drawn<typeof disturbance> | Drawn<typeof fault> | Drawn<typeof wait>

/** Specs change and time goes by; everything works. */
export const calmSteps: fc.Arbitrary<Step[]> = fc.array(fc.oneof({ weight: 3, arbitrary: declared }, { weight: 2, arbitrary: wait }), {
  minLength: 3,
  maxLength: 14,
})

export const stormySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: declared },
    { weight: 4, arbitrary: disturbance },
    { weight: 2, arbitrary: fault },
    { weight: 3, arbitrary: wait },
  ),
  { minLength: 4, maxLength: 18 },
)

export const play: Play = (pod) => ({
  missingImage: pod.spec.containers.some(({ image: name }) => name?.startsWith('missing') ?? false),
  startDelay: 2000,
  stopDelay: 3000,
})

function template(app: string, name: string, annotations: Record<string, string> = {}): Draft<PodTemplateSpec> {
  const containers = [{ name: 'app', image: name, resources: { requests: { cpu: '500m' } } }]
  return { metadata: { labels: { app }, annotations }, spec: { containers } }
}

/** Runs for five seconds, fails so often, and then succeeds. */
const WORKS = (failures: number) => ({
  [`${PREFIX}runs-for`]: '5',
  [`${PREFIX}exit-codes`]: [...Array.from({ length: failures }, () => '1'), '0'].join(','),
})

export class Story {
  readonly #world: World
  readonly #watcher: Watcher
  readonly #nodes: Set<string>
  readonly #silent = new Set<string>()
  #added = 0
  #jobs = 0

  constructor(world: World, watcher: Watcher, nodes: readonly string[]) {
    this.#world = world
    this.#watcher = watcher
    this.#nodes = new Set(nodes)
  }

  async act(step: Step): Promise<void> {
    this.#watcher.tell(step)
    await this.#do(step)
    await this.#world.advance(0)
  }

  /** Whatever keeps the cluster from what is declared is taken away. */
  async mend(): Promise<void> {
    const { client, faults, kubelets } = this.#world
    for (const key of Object.keys(faults) as (keyof typeof faults)[]) delete faults[key]
    for (const name of this.#silent) kubelets.wake(name)
    for (const name of this.#nodes)
      await client.patch(nodeKind, { name }, { type: 'merge', body: { spec: { unschedulable: null } } }).catch(ignoreMissing)
    await client.delete(resourceQuota, { namespace: NAMESPACE, name: 'limit' }).catch(ignoreMissing)
    for (const { metadata, spec } of (await client.list(deployment, { namespace: NAMESPACE })).items) {
      if (spec.template.spec?.containers[0]?.image !== 'missing:1') continue
      await this.#do({
        type: 'deploy',
        name: metadata.name as 'web',
        replicas: spec.replicas ?? 1,
        image: 'app:1',
        surge: 1,
        unavailable: 0,
      })
    }
    for (let i = 0; i < 4; i++) this.#addNode()
  }

  async #do(step: Step): Promise<void> {
    const { client, clock, faults, kubelets } = this.#world
    switch (step.type) {
      case 'deploy': {
        const { name, replicas, surge, unavailable } = step
        const rollingUpdate = { maxSurge: surge, maxUnavailable: surge + unavailable === 0 ? 1 : unavailable }
        return this.#put(deployment, name, {
          ...{ replicas, selector: { matchLabels: { app: name } }, template: template(name, step.image) },
          strategy: { type: 'RollingUpdate', rollingUpdate },
        })
      }
      case 'serve': {
        const { replicas, partition, parallel } = step
        const existing = await client.get(statefulSet, { namespace: NAMESPACE, name: 'db' }).catch(() => null)
        const podManagementPolicy = existing?.spec.podManagementPolicy ?? (parallel ? 'Parallel' : 'OrderedReady')
        return this.#put(statefulSet, 'db', {
          ...{
            replicas,
            podManagementPolicy,
            serviceName: 'db',
            selector: { matchLabels: { app: 'db' } },
            template: template('db', step.image),
          },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } },
        })
      }
      case 'daemon':
        return this.#put(daemonSet, 'agent', {
          ...{ selector: { matchLabels: { app: 'agent' } }, template: template('agent', step.image) },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: step.unavailable } },
        })
      case 'work': {
        const { parallelism, completions, failures } = step
        const pods = template('work', 'app:1', WORKS(failures))
        const spec = {
          parallelism,
          completions,
          backoffLimit: 1000,
          template: { ...pods, spec: { ...pods.spec, restartPolicy: 'OnFailure' } },
        }
        return this.#put(job, `work-${this.#jobs++}`, spec)
      }
      case 'drop': {
        const kind = { web: deployment, api: deployment, db: statefulSet, agent: daemonSet }[step.what] as Kind
        await client.delete(kind, { namespace: NAMESPACE, name: step.what }, { propagationPolicy: 'Background' }).catch(ignoreMissing)
        return
      }
      case 'quota':
        return this.#put(resourceQuota, 'limit', { hard: { pods: String(step.pods) } })
      case 'budget':
        return this.#put(podDisruptionBudget, 'web', { minAvailable: step.minAvailable, selector: { matchLabels: { app: 'web' } } })
      case 'evict':
        return this.#evict(step.index)
      case 'delete pod': {
        const victim = this.#pick(await this.#pods(), step.index)
        if (victim) await client.delete(podKind, victim.metadata).catch(ignoreMissing)
        return
      }
      case 'cordon': {
        const name = this.#pick([...this.#nodes], step.index)
        if (name)
          await client.patch(nodeKind, { name }, { type: 'merge', body: { spec: { unschedulable: step.on || null } } }).catch(ignoreMissing)
        return
      }
      case 'silence': {
        const name = this.#pick([...this.#nodes], step.index)
        if (!name) return
        this.#silent.add(name)
        return kubelets.silence(name)
      }
      case 'wake':
        for (const name of this.#silent) kubelets.wake(name, { rebooted: step.rebooted })
        return this.#silent.clear()
      case 'add node':
        return this.#addNode()
      case 'remove node': {
        const name = this.#pick([...this.#nodes], step.index)
        if (!name || this.#nodes.size === 1) return
        this.#nodes.delete(name)
        this.#silent.delete(name)
        return this.#world.removeNode(name)
      }
      case 'crash':
        return this.#world.crash(step.manager)
      case 'faults': {
        const { share } = step
        Object.assign(faults, { unavailable: share, conflicts: share, lostAnswers: share, brokenWatches: share / 4 })
        await clock.advance(step.seconds * 1000)
        Object.assign(faults, { unavailable: 0, conflicts: 0, lostAnswers: 0, brokenWatches: 0 })
        return
      }
      case 'partition':
        faults.partitioned = true
        await clock.advance(step.seconds * 1000)
        faults.partitioned = false
        return
      case 'wait':
        return this.#world.advance(step.seconds * 1000)
    }
  }

  #addNode(): void {
    const name = `more-${this.#added++}`
    this.#nodes.add(name)
    this.#world.addNode(name)
  }

  async #pods(): Promise<Pod[]> {
    return (await this.#world.client.list(podKind, { namespace: NAMESPACE })).items
  }

  #pick<T>(all: readonly T[], index: number): T | undefined {
    return all[index % Math.max(1, all.length)]
  }

  async #evict(index: number): Promise<void> {
    const victim = this.#pick(await this.#pods(), index)
    if (!victim) return
    const { name, namespace } = victim.metadata
    const body = JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } })
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
    this.#watcher.beforeEviction(victim)
    const answer = await this.#world.client.request({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body })
    await answer.body[Symbol.asyncDispose]()
    this.#watcher.afterEviction(victim, answer.status)
  }

  /** What may not be changed of what is there stays. */
  async #put<T extends KubeObject>(kind: Kind<T>, name: string, spec: object): Promise<void> {
    const { client } = this.#world
    const at = { namespace: NAMESPACE, name }
    try {
      await client.patch(kind, at, { type: 'merge', body: { spec } })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
      await client.create(kind, { metadata: at, spec } as unknown as Draft<T>)
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!hasReason(error, 'NotFound')) throw error
}
