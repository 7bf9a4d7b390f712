/** Counts for each PodDisruptionBudget how many of its pods may go. Source: kubernetes `pkg/controller/disruption`. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod, PodCondition } from '../../api/core/v1/types.gen.ts'
import { selectorMatches, selectorText } from '../../api/meta/v1/label-selector.ts'
import type { Condition } from '../../api/meta/v1/types.gen.ts'
import { podDisruptionBudget as budgetKind } from '../../api/policy/v1/pod-disruption-budget.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/policy/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { findCondition, setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { itself, states } from '../runtime/watches.ts'
import { demandedLabels, havingLabels, indexByLabels } from '../workload/label-index.ts'
import { countHealthy, countsScale, disruptedPods, expected } from './healthy.ts'
import { createScales } from './scales.ts'

const ALLOWED = 'DisruptionAllowed'

export const disruptionController = defineController({
  name: 'disruption-controller',
  component: 'controllermanager',
  create({ client, clock, events, informers }) {
    const budgets = informers.for(budgetKind)
    const pods = informers.for(podKind)
    indexByLabels(pods)
    const scales = createScales(client, informers)
    const selecting = (pod: Pod) =>
      budgets.list(pod.metadata.namespace).filter(({ spec }) => selectorMatches(spec.selector, pod.metadata.labels))
    const ofPod = (change: Change<Pod>) => new Set(states(change).flatMap((pod) => selecting(pod).map(keyOf)))

    return {
      watches: [watch(budgets, itself), watch(pods, ofPod)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const budget = budgets.get(namespace, name)
        if (!budget || isBeingDeleted(budget)) return undefined
        const { selector } = budget.spec
        const candidates = selector ? havingLabels(pods, namespace, demandedLabels(selector)) : []
        const selected = candidates.filter(({ metadata }) => selectorMatches(selector, metadata.labels))
        if (selected.length === 0) events.event(budget, 'Normal', 'NoPods', 'No matching pods found')
        let count = selected.length
        try {
          if (countsScale(budget.spec)) count = await wanted(budget, selected)
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error)
          events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${why}`)
          await failSafe(budget, why)
          throw error
        }
        return settle(budget, selected, count)
      },
    }

    async function wanted(budget: PodDisruptionBudget, selected: readonly Pod[]): Promise<number> {
      const { count, unmanaged } = await scales.total(selected)
      if (unmanaged.length > 0) {
        const which = `(selector: ${selectorText(budget.spec.selector)})`
        const why =
          `Pods selected by this PodDisruptionBudget ${which} were found to be unmanaged. As a result, the status of the PDB cannot be ` +
          'calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
        events.event(budget, 'Warning', 'UnmanagedPods', why)
      }
      return count
    }

    async function settle(budget: PodDisruptionBudget, selected: readonly Pod[], count: number): Promise<Outcome> {
      const now = clock.now()
      const disrupted = disruptedPods(budget, selected, now)
      for (const pod of disrupted.stayed) {
        const why = `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`
        events.event(pod, 'Warning', 'NotDeleted', why)
      }
      const currentHealthy = countHealthy(selected, disrupted)
      const { expectedPods, desiredHealthy } = expected(budget.spec, count)
      // What selects nothing yet must not let its first pods go.
      const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0
      const generation = budget.metadata.generation ?? 0
      const state = disruptionsAllowed > 0 ? (['SufficientPods', 'True'] as const) : (['InsufficientPods', 'False'] as const)
      const condition = { type: ALLOWED, reason: state[0], status: state[1], message: '', observedGeneration: generation }
      const { disruptedPods: _, ...kept } = budget.status
      await write(budget, {
        ...kept,
        ...{ currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, observedGeneration: generation },
        ...(Object.keys(disrupted.pods).length > 0 ? { disruptedPods: { ...disrupted.pods } } : {}),
        conditions: [...setCondition<Condition>(kept.conditions, condition, formatTime(now))],
      })
      return disrupted.until === null ? undefined : { requeueAfter: Math.max(0, disrupted.until - now) + 1 }
    }

    /** What cannot be counted lets nothing go. */
    async function failSafe(budget: PodDisruptionBudget, message: string): Promise<void> {
      const condition = { type: ALLOWED, reason: 'SyncFailed', status: 'False' as const, message }
      const observedGeneration = budget.metadata.generation ?? 0
      const conditions = setCondition<Condition>(budget.status.conditions, { ...condition, observedGeneration }, formatTime(clock.now()))
      await write(budget, { ...budget.status, disruptionsAllowed: 0, conditions: [...conditions] })
    }

    async function write(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus): Promise<void> {
      if (semanticEqual(status, budget.status)) return
      await client.update(budgetKind, { ...budget, status }, { subresource: 'status' })
    }
  },
})

/** Milliseconds after which a pod that was to be disrupted and is not, is no longer said to be. */
const STALE_AFTER = 2 * 60_000
const DISRUPTION_TARGET = 'DisruptionTarget'

/** Takes back what was said of pods that should have gone and stayed. */
export const staleDisruptionController = defineController({
  name: 'stale-pod-disruption-controller',
  component: 'controllermanager',
  create({ client, clock, informers }) {
    const pods = informers.for(podKind)
    const stale = ({ object }: Change<Pod>) => (isTarget(object) ? [keyOf(object)] : [])
    return {
      watches: [watch(pods, stale)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const pod = pods.get(namespace, name)
        const condition = pod && findCondition(pod.status.conditions, DISRUPTION_TARGET)
        if (!pod || !condition || !isTarget(pod)) return undefined
        const left = Date.parse(condition.lastTransitionTime ?? '') + STALE_AFTER - clock.now()
        if (left > 0) return { requeueAfter: left }
        const now = formatTime(clock.now())
        const conditions = setCondition<PodCondition>(pod.status.conditions, { type: DISRUPTION_TARGET, status: 'False' }, now)
        await client.update(podKind, { ...pod, status: { ...pod.status, conditions: [...conditions] } }, { subresource: 'status' })
        return undefined
      },
    }
  },
})

/** It is to go and is not going. */
function isTarget(pod: Pod): boolean {
  const { phase } = pod.status
  if (phase === 'Succeeded' || phase === 'Failed' || isBeingDeleted(pod)) return false
  return findCondition(pod.status.conditions, DISRUPTION_TARGET)?.status === 'True'
}
