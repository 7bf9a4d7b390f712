/** Sizes workloads by what they use. Source: kubernetes `pkg/controller/podautoscaler`. */
import { horizontalPodAutoscaler as autoscalerKind } from '../../api/autoscaling/v2/horizontal-pod-autoscaler.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from '../../api/autoscaling/v2/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { parseLabelSelector } from '../../machinery/selector/label-selector.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { limit, remember, stabilize, tolerancesOf, type Memory } from './behavior.ts'
import { MetricError, proposalFor, type Proposal, type Question } from './proposals.ts'
import { findTarget, type Target } from './target.ts'

/** How often each is looked at, in milliseconds. */
const PERIOD = 15_000

interface Wish {
  readonly replicas: number
  /** Why, for the event. */
  readonly reason: string
  readonly metrics: readonly MetricStatus[]
}

/** The conditions of one look at an autoscaler, gathered on the way. */
class Conditions {
  list: readonly HorizontalPodAutoscalerCondition[]
  readonly #now: string

  constructor(list: readonly HorizontalPodAutoscalerCondition[] | undefined, now: number) {
    this.list = list ?? []
    this.#now = formatTime(now)
  }

  set(type: string, status: 'True' | 'False', reason: string, message: string): void {
    this.list = setCondition(this.list, { type, status, reason, message }, this.#now)
  }
}

export const horizontalPodAutoscalerController = defineController({
  name: 'horizontal-pod-autoscaler-controller',
  component: 'horizontal-pod-autoscaler',
  create({ client, clock, events, informers }) {
    const autoscalers = informers.for(autoscalerKind)
    const pods = informers.for(podKind)
    const memories = new Map<string, Memory>()

    /** What it writes itself is no reason to look again. */
    const changed = ({ type, object, old }: Change<HorizontalPodAutoscaler>): string[] => {
      if (type === 'delete') memories.delete(object.metadata.uid)
      return type === 'update' && semanticEqual(object.spec, old.spec) ? [] : [keyOf(object)]
    }
    const warn = (hpa: HorizontalPodAutoscaler, reason: string, message: string) => events.event(hpa, 'Warning', reason, message)

    const sync = async (hpa: HorizontalPodAutoscaler): Promise<void> => {
      const now = clock.now()
      const conditions = new Conditions(hpa.status.conditions, now)
      let target: Target
      try {
        target = await findTarget(client, hpa.metadata.namespace ?? '', hpa.spec.scaleTargetRef)
      } catch (error) {
        if (isAbort(error)) throw error
        const why = messageOf(error)
        warn(hpa, 'FailedGetScale', why)
        conditions.set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${why}`)
        return report(hpa, { ...hpa.status, conditions: [...conditions.list] })
      }
      conditions.set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
      const { replicas: current } = target.scale.spec
      const { replicas: present } = target.scale.status
      const base = { ...hpa.status, currentReplicas: present, observedGeneration: hpa.metadata.generation ?? 0 }
      const memory = memoryOf(hpa, current, now)
      let wish: Wish
      try {
        wish = await decide(hpa, target, memory, conditions, now)
      } catch (error) {
        if (!(error instanceof MetricError)) throw error
        warn(hpa, 'FailedComputeMetricsReplicas', error.message)
        return report(hpa, { ...base, conditions: [...conditions.list] })
      }
      let status: HorizontalPodAutoscalerStatus = { ...base, desiredReplicas: wish.replicas, currentMetrics: [...wish.metrics] }
      let failure: unknown
      if (wish.replicas !== current) {
        try {
          await target.resize(wish.replicas)
          const message = `the HPA controller was able to update the target scale to ${wish.replicas}`
          conditions.set('AbleToScale', 'True', 'SucceededRescale', message)
          events.event(hpa, 'Normal', 'SuccessfulRescale', `New size: ${wish.replicas}; reason: ${wish.reason}`)
          remember(memory, hpa.spec, current, wish.replicas, now)
          status = { ...status, lastScaleTime: formatTime(now) }
        } catch (error) {
          if (isAbort(error)) throw error
          failure = error
          const why = messageOf(error)
          warn(hpa, 'FailedRescale', `New size: ${wish.replicas}; reason: ${wish.reason}; error: ${why}`)
          conditions.set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${why}`)
          status = { ...status, desiredReplicas: current }
        }
      }
      await report(hpa, { ...status, conditions: [...conditions.list] })
      if (failure !== undefined) throw failure
    }

    const decide = async (
      hpa: HorizontalPodAutoscaler,
      { scale }: Target,
      memory: Memory,
      conditions: Conditions,
      now: number,
    ): Promise<Wish> => {
      const { minReplicas = 1, maxReplicas } = hpa.spec
      const current = scale.spec.replicas ?? 0
      if (current === 0 && minReplicas !== 0) {
        conditions.set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
        return { replicas: 0, reason: '', metrics: [] }
      }
      if (current > maxReplicas) return { replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas', metrics: [] }
      if (current < minReplicas) return { replicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas', metrics: [] }
      const selector = selectorOf(hpa, scale.status.selector ?? '', conditions)
      const matches = parseLabelSelector(selector)
      const question: Question = {
        ...{ client, hpa, selector, now, wanted: current, present: scale.status.replicas ?? 0 },
        pods: pods.list(hpa.metadata.namespace).filter(({ metadata }) => matches.matches(metadata.labels)),
        tolerances: tolerancesOf(hpa.spec),
      }
      const proposals = await ask(question, conditions)
      const highest = proposals.reduce((a, b) => (b.replicas > a.replicas ? b : a))
      const metrics = proposals.map(({ status }) => status)
      const stable = stabilize(memory, hpa.spec, current, highest.replicas, now)
      conditions.set('AbleToScale', 'True', stable.reason, stable.message)
      const limited = limit(memory, hpa.spec, current, stable.replicas, now)
      conditions.set('ScalingLimited', limited.reason === 'DesiredWithinRange' ? 'False' : 'True', limited.reason, limited.message)
      const reason = highest.replicas > current ? `${highest.metric} above target` : 'All metrics below target'
      return { replicas: limited.replicas, reason, metrics }
    }

    /** At least one; where some cannot be had, no fewer replicas than now are believed. Throws MetricError. */
    const ask = async (question: Question, conditions: Conditions): Promise<[Proposal, ...Proposal[]]> => {
      const { hpa, wanted } = question
      const specs = hpa.spec.metrics ?? []
      const proposals: Proposal[] = []
      const failures: MetricError[] = []
      for (const spec of specs) {
        try {
          proposals.push(await proposalFor(question, spec))
        } catch (error) {
          if (!(error instanceof MetricError) || isAbort(error.cause)) throw error
          failures.push(error)
          warn(hpa, error.reason, error.message)
        }
      }
      const [first, ...others] = proposals
      const [failed] = failures
      const shrinks = !proposals.some(({ replicas }) => replicas >= wanted)
      if (failed && (!first || shrinks)) {
        conditions.set('ScalingActive', 'False', failed.reason, `the HPA was unable to compute the replica count: ${failed.message}`)
        const what = `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is`
        throw new MetricError(failed.reason, what, failed.message)
      }
      if (!first) throw new MetricError('InvalidMetricSourceType', 'no metrics', 'the autoscaler names none')
      const highest = proposals.reduce((a, b) => (b.replicas > a.replicas ? b : a))
      const message = `the HPA was able to successfully calculate a replica count from ${highest.metric}`
      conditions.set('ScalingActive', 'True', 'ValidMetricFound', message)
      return [first, ...others]
    }

    const selectorOf = (hpa: HorizontalPodAutoscaler, selector: string, conditions: Conditions): string => {
      if (selector) return selector
      warn(hpa, 'SelectorRequired', 'selector is required')
      conditions.set('ScalingActive', 'False', 'InvalidSelector', "the HPA target's scale is missing a selector")
      throw new MetricError('InvalidSelector', 'selector is required', 'the scale of the target has none')
    }

    /** After a start, what is there is taken for what was recommended, so that nothing shrinks at once. */
    const memoryOf = ({ metadata }: HorizontalPodAutoscaler, current: number, now: number): Memory => {
      let memory = memories.get(metadata.uid)
      if (!memory) memories.set(metadata.uid, (memory = { recommended: [{ replicas: current, at: now }], ups: [], downs: [] }))
      return memory
    }

    const report = async (hpa: HorizontalPodAutoscaler, status: HorizontalPodAutoscalerStatus): Promise<void> => {
      if (semanticEqual(status, hpa.status)) return
      await client.update(autoscalerKind, { ...hpa, status }, { subresource: 'status' })
    }

    return {
      watches: [watch(autoscalers, changed)],
      async reconcile(key): Promise<Outcome> {
        const { namespace, name } = splitKey(key)
        const hpa = autoscalers.get(namespace, name)
        if (!hpa || isBeingDeleted(hpa)) return undefined
        await sync(hpa)
        return { requeueAfter: PERIOD }
      },
    }
  },
})
