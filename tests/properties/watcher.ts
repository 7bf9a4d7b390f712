/** Looks on, by watches of its own, and notes whatever must not happen on the way. */
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { replicaSet } from '../../electron/api/apps/v1/replica-set.ts'
import type { Deployment } from '../../electron/api/apps/v1/types.gen.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { podRequests } from '../../electron/api/core/v1/pod-resources.ts'
import { resourceQuota } from '../../electron/api/core/v1/resource-quota.ts'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import { podDisruptionBudget } from '../../electron/api/policy/v1/pod-disruption-budget.ts'
import { toMilli } from '../../electron/api/values/quantity.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import { createInformers } from '../../electron/client/informers.ts'
import { controllerOf } from '../../electron/machinery/object.ts'
import { isPodActive, isPodReady, isPodTerminal } from '../../electron/controllers/workload/pod-state.ts'
import type { Step } from './steps.ts'
import { CPU, NAMESPACE, type World } from './world.ts'

export interface Watcher extends AsyncDisposable {
  readonly violations: readonly string[]
  /** Pods that were made so far. */
  readonly created: number
  tell(step: Step): void
  /** All is as declared: what happened before matters no more. */
  settled(): void
  beforeEviction(pod: Pod): void
  afterEviction(pod: Pod, status: number): void
}

const surgeOf = ({ spec }: Deployment) => (spec.replicas ?? 1) + Number(spec.strategy.rollingUpdate?.maxSurge ?? 0)
const leastOf = ({ spec }: Deployment) => (spec.replicas ?? 1) - Number(spec.strategy.rollingUpdate?.maxUnavailable ?? 0)
const DISTURBING: readonly Step['type'][] = [
  ...(['evict', 'delete pod', 'silence', 'wake', 'remove node', 'cordon', 'crash', 'faults', 'partition', 'quota'] as const),
]

export async function startWatcher({ client, clock }: Pick<World, 'client' | 'clock'>): Promise<Watcher> {
  const informers = createInformers(client, { clock, logger: silentLogger, random: seededRandom(3) })
  const pods = informers.for(podKind)
  const nodes = informers.for(nodeKind)
  const deployments = informers.for(deployment)
  const sets = informers.for(replicaSet)
  const budgets = informers.for(podDisruptionBudget)
  const quotas = informers.for(resourceQuota)
  const violations: string[] = []
  /** By deployment: of what was declared since all was settled, the most pods and the fewest available that were allowed. */
  const most = new Map<string, number>()
  const least = new Map<string, number>()
  let disturbed = false
  let changed = false
  let created = 0
  let healthyBefore = 0
  const note = (what: string) => void violations.push(`at ${new Date(clock.now()).toISOString()}: ${what}`)
  const labelled = (app: string) => pods.list(NAMESPACE).filter(({ metadata }) => metadata.labels?.['app'] === app)

  const checkNode = (name: string) => {
    const held = pods.list().filter((pod) => pod.spec.nodeName === name && !isPodTerminal(pod))
    const asked = held.reduce((sum, { spec }) => sum + toMilli(podRequests(spec)['cpu'] ?? '0'), 0)
    if (nodes.get(undefined, name) && asked > CPU * 1000) note(`${asked}m of cpu are asked for on ${name}`)
  }
  const checkSurge = (app: string) => {
    const limit = most.get(app)
    const active = labelled(app).filter(isPodActive).length
    // A create whose answer was lost may be made again.
    if (limit !== undefined && !disturbed && active > limit) note(`${app} has ${active} pods, and may have ${limit}`)
  }
  const checkOrdinal = ({ metadata }: Pod) => {
    const owner = controllerOf({ metadata })
    if (owner?.kind !== 'StatefulSet' || disturbed || changed) return
    const at = metadata.name.lastIndexOf('-')
    const missing = Array.from({ length: Number(metadata.name.slice(at + 1)) }, (_, i) => `${owner.name}-${i}`).find((name) => {
      const before = pods.get(NAMESPACE, name)
      return !before || !isPodReady(before)
    })
    if (missing) note(`${metadata.name} was made before ${missing} was ready`)
  }
  const checkDaemons = () => {
    if (disturbed) return
    const seen = new Set<string>()
    for (const pod of labelled('agent').filter(isPodActive)) {
      const target = pod.spec.nodeName
      if (target && seen.has(target)) note(`two daemons run on ${target}`)
      if (target) seen.add(target)
    }
  }
  const checkAvailable = (pod: Pod, old: Pod) => {
    const app = pod.metadata.labels?.['app'] ?? ''
    const fewest = least.get(app)
    if (fewest === undefined || disturbed || !isPodActive(old) || isPodActive(pod) || !isPodReady(old)) return
    const left = labelled(app).filter((one) => isPodActive(one) && isPodReady(one)).length
    if (left < fewest) note(`${app} has ${left} available pods left, and needs ${fewest}`)
  }
  const checkQuota = () => {
    const hard = quotas.get(NAMESPACE, 'limit')?.spec.hard?.['pods']
    const count = pods.list(NAMESPACE).filter((pod) => !isPodTerminal(pod)).length
    const allowed = Math.max(Number(hard ?? Number.POSITIVE_INFINITY), quotaFloor)
    if (count > allowed) note(`${count} pods are there, and ${hard} are allowed`)
    if (count < quotaFloor) quotaFloor = count
  }
  /** Pods that were there before the quota may stay. */
  let quotaFloor = 0

  pods.on({
    add(pod) {
      created++
      checkQuota()
      checkSurge(pod.metadata.labels?.['app'] ?? '')
      checkOrdinal(pod)
    },
    update(pod, old) {
      if (pod.spec.nodeName && !old.spec.nodeName) {
        checkNode(pod.spec.nodeName)
        checkDaemons()
      }
      checkAvailable(pod, old)
      checkQuota()
    },
    delete: checkQuota,
  })
  quotas.on({
    add: () => void (quotaFloor = pods.list(NAMESPACE).filter((pod) => !isPodTerminal(pod)).length),
    update: () => void (quotaFloor = pods.list(NAMESPACE).filter((pod) => !isPodTerminal(pod)).length),
  })
  const noteDeclared = (object: Deployment) => {
    const { name } = object.metadata
    most.set(name, Math.max(most.get(name) ?? 0, surgeOf(object)))
    least.set(name, Math.min(least.get(name) ?? Number.POSITIVE_INFINITY, leastOf(object)))
  }
  deployments.on({
    add: noteDeclared,
    update: (now) => noteDeclared(now),
    delete({ metadata }) {
      most.delete(metadata.name)
      least.delete(metadata.name)
    },
  })
  sets.on({
    update() {
      for (const { metadata } of deployments.list(NAMESPACE)) {
        const wanted = sets
          .list(NAMESPACE)
          .filter((set) => controllerOf(set)?.uid === metadata.uid)
          .reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0)
        const limit = most.get(metadata.name)
        if (limit !== undefined && wanted > limit) note(`the sets of ${metadata.name} want ${wanted} pods, and may want ${limit}`)
      }
    },
  })
  await informers.start()

  const healthy = (pod: Pod) => {
    const app = pod.metadata.labels?.['app'] ?? ''
    return labelled(app).filter((one) => isPodActive(one) && isPodReady(one)).length
  }
  return {
    violations,
    get created() {
      return created
    },
    tell({ type }) {
      if (DISTURBING.includes(type)) disturbed = true
      if (type === 'serve' || type === 'drop') changed = true
    },
    settled() {
      disturbed = changed = false
      most.clear()
      least.clear()
      for (const one of deployments.list(NAMESPACE)) noteDeclared(one)
    },
    beforeEviction: (pod) => void (healthyBefore = healthy(pod)),
    afterEviction(pod, status) {
      const budget = pod.metadata.labels?.['app'] === 'web' ? budgets.get(NAMESPACE, 'web') : undefined
      if (!budget || status !== 201 || !isPodReady(pod) || !isPodActive(pod)) return
      const needed = Number(budget.spec.minAvailable ?? 0)
      if (healthyBefore - 1 < needed) note(`${pod.metadata.name} was evicted: ${healthyBefore} were healthy, and ${needed} must stay`)
    },
    [Symbol.asyncDispose]: () => informers[Symbol.asyncDispose](),
  }
}
