/** Whether disruption budgets let a pod go. Source: kubernetes `registry/core/pod/storage/eviction.go`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { selectorMatches } from '../../api/meta/v1/label-selector.ts'
import type { Condition } from '../../api/meta/v1/types.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/policy/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { findCondition, isConditionTrue, setCondition } from '../../machinery/conditions.ts'
import { thaw } from '../../machinery/freeze.ts'
import { failure, forbidden, notFound, type StatusError } from '../../machinery/status.ts'
import { guaranteedUpdate } from '../registry/guaranteed-update.ts'
import type { Registry } from '../registry/registry.ts'
import type { Resource } from '../registry/storage.ts'

const BUDGETS = { group: 'policy', resource: 'poddisruptionbudget' }
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
const MAX_DISRUPTED = 2000
const STILL_PROCESSED_SECONDS = 10

/** Those that select the pod; without a selector a budget selects none. */
export async function budgetsFor(budgets: Resource, pod: Pod): Promise<PodDisruptionBudget[]> {
  const { cache } = budgets.storage
  await cache.ready()
  return cache
    .slice(budgets.storage.scope(pod.metadata.namespace ?? ''))
    .map((entry) => entry.object as PodDisruptionBudget)
    .filter(({ spec }) => selectorMatches(spec.selector, pod.metadata.labels))
}

/** Whether the pod may go without counting: it is not ready, and the budget guards ready ones only, or has enough of them. */
export function sparesUnready({ spec, status }: PodDisruptionBudget, pod: Pod): boolean {
  if (isConditionTrue(pod.status.conditions, 'Ready')) return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0
}

/** Takes one disruption from the budget, for this pod. Throws StatusError 429 if there is none left, 403 if the budget is broken. */
export async function takeDisruption(
  registry: Registry,
  budgets: Resource,
  at: { readonly namespace: string; readonly name: string; readonly pod: string },
  options: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { storage } = budgets
  await guaranteedUpdate(registry, storage, storage.key(at.namespace, at.name), options, (current) => {
    if (!current) throw notFound({ group: 'policy', resource: 'poddisruptionbudgets' }, at.name)
    const budget = thaw(current.object) as PodDisruptionBudget
    const now = formatTime(registry.clock.now())
    budget.status = taken(budget, at.pod, now)
    return { type: 'put', object: budget }
  })
}

function taken({ metadata, status }: PodDisruptionBudget, pod: string, now: string): PodDisruptionBudgetStatus {
  const { name, generation = 0 } = metadata
  if ((status.observedGeneration ?? 0) < generation) throw stillProcessed(name)
  if (status.disruptionsAllowed < 0) throw forbidden(BUDGETS, name, 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED)
    throw forbidden(BUDGETS, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  if (status.disruptionsAllowed === 0) throw refusal(0, whyNot(name, status))
  const disruptionsAllowed = status.disruptionsAllowed - 1
  const next: PodDisruptionBudgetStatus = { ...status, disruptionsAllowed, disruptedPods: { ...status.disruptedPods, [pod]: now } }
  if (disruptionsAllowed > 0) return next
  const exhausted = { type: 'DisruptionAllowed', reason: 'InsufficientPods', status: 'False' as const, message: '' }
  const conditions = setCondition<Condition>(status.conditions, { ...exhausted, observedGeneration: generation }, now)
  return { ...next, conditions: [...conditions] }
}

function whyNot(name: string, { conditions, desiredHealthy, currentHealthy }: PodDisruptionBudgetStatus): string {
  const condition = findCondition(conditions, 'DisruptionAllowed')
  if (condition?.status === 'False' && condition.reason === 'SyncFailed')
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${condition.message}`
  return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
}

/** Nobody has counted since the budget was changed, or the pod was changed meanwhile. */
export function stillProcessed(name: string): StatusError {
  return refusal(STILL_PROCESSED_SECONDS, `The disruption budget ${name} is still being processed by the server.`)
}

function refusal(retryAfterSeconds: number, message: string): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }]
  return failure(429, 'TooManyRequests', VIOLATES, { causes, ...(retryAfterSeconds ? { retryAfterSeconds } : {}) })
}
