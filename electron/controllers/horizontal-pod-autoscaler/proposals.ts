/** How many replicas one metric asks for. Source: kubernetes `podautoscaler/horizontal.go`, `computeReplicasForMetric`. */
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget } from '../../api/autoscaling/v2/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { formatQuantity, quantityOf, toMilli } from '../../api/values/quantity.ts'
import { messageOf } from '../../base/errors.ts'
import type { Client } from '../../client/client.ts'
import { externalValue, objectValue, podsValues, resourceValues, type PodValues } from './metrics-source.ts'
import { groupPods } from './pod-groups.ts'
import { byAverage, byShare, byUtilization, byValue, requestOf, type Figures, type Tolerances } from './replicas.ts'

export interface Question {
  readonly client: Client
  readonly hpa: HorizontalPodAutoscaler
  /** Of the target's pods, as a query has it. */
  readonly selector: string
  /** The target's pods. */
  readonly pods: readonly Pod[]
  /** That the target wants, and that it has. */
  readonly wanted: number
  readonly present: number
  readonly tolerances: Tolerances
  readonly now: number
}

export interface Proposal {
  readonly replicas: number
  /** For messages: "cpu resource utilization (percentage of request)". */
  readonly metric: string
  readonly status: MetricStatus
}

/** `reason` is for the condition ScalingActive and for an event. */
export class MetricError extends Error {
  override readonly name = 'MetricError'
  readonly reason: string

  constructor(reason: string, what: string, cause: unknown) {
    super(`${what}: ${messageOf(cause)}`, { cause })
    this.reason = reason
  }
}

/** Throws MetricError. */
export async function proposalFor(question: Question, spec: MetricSpec): Promise<Proposal> {
  const { resource, containerResource, pods, object, external } = spec
  switch (spec.type) {
    case 'Resource':
      if (resource) {
        const what = `failed to get ${resource.name} utilization`
        return guarded('FailedGetResourceMetric', what, () => ofResource(question, resource.name, resource.target))
      }
      break
    case 'ContainerResource':
      if (containerResource) {
        const { name, container, target } = containerResource
        const what = `failed to get ${name} container metric value`
        return guarded('FailedGetContainerResourceMetric', what, () => ofResource(question, name, target, container))
      }
      break
    case 'Pods':
      if (pods) return guarded('FailedGetPodsMetric', 'failed to get pods metric value', () => ofPods(question, pods))
      break
    case 'Object':
      if (object) return guarded('FailedGetObjectMetric', 'failed to get object metric value', () => ofObject(question, object))
      break
    case 'External':
      if (external) {
        const what = `failed to get ${external.metric.name} external metric`
        return guarded('FailedGetExternalMetric', what, () => ofExternal(question, external))
      }
  }
  throw new MetricError('InvalidMetricSourceType', 'invalid metric source', `unknown metric source type "${spec.type}"`)
}

async function guarded(reason: string, what: string, ask: () => Promise<Proposal>): Promise<Proposal> {
  try {
    return await ask()
  } catch (error) {
    throw new MetricError(reason, what, error)
  }
}

async function ofResource(question: Question, name: string, target: MetricTarget, container?: string): Promise<Proposal> {
  const { hpa, selector, client, wanted, tolerances, pods } = question
  const namespace = hpa.metadata.namespace ?? ''
  const from = container === undefined ? 'resource' : 'container resource'
  const answer = (figures: Figures, metric: string): Proposal => {
    const averageValue = formatMilli(figures.average)
    const current = figures.utilization === undefined ? { averageValue } : { averageUtilization: figures.utilization, averageValue }
    const status: MetricStatus =
      container === undefined
        ? { type: 'Resource', resource: { name, current } }
        : { type: 'ContainerResource', containerResource: { name, container, current } }
    return { replicas: figures.replicas, metric, status }
  }
  const values = await resourceValues(client, { namespace, selector }, name, container).catch((error: unknown) => {
    throw new Error(`unable to get metrics for resource ${name}: ${messageOf(error)}`, { cause: error })
  })
  const groups = grouped(question, values, name)
  if (target.averageValue !== undefined) {
    return answer(byAverage(wanted, toMilli(target.averageValue), groups, tolerances), `${name} ${from}`)
  }
  const counted = pods.filter(({ metadata }) => !metadata.deletionTimestamp)
  const requests = new Map(counted.map((pod) => [pod.metadata.name, requestOf(pod, name, container)]))
  const figures = byUtilization(wanted, target.averageUtilization ?? 0, groups, requests, tolerances)
  return answer(figures, `${name} ${from} utilization (percentage of request)`)
}

async function ofPods(question: Question, { metric, target }: NonNullable<MetricSpec['pods']>): Promise<Proposal> {
  const { hpa, selector, client, wanted, tolerances } = question
  const values = await podsValues(client, { namespace: hpa.metadata.namespace ?? '', selector }, metric)
  const figures = byAverage(wanted, toMilli(target.averageValue ?? '0'), grouped(question, values, ''), tolerances)
  const current = { averageValue: formatMilli(figures.average) }
  return { replicas: figures.replicas, metric: `pods metric ${metric.name}`, status: { type: 'Pods', pods: { metric, current } } }
}

async function ofObject(question: Question, { metric, target, describedObject }: NonNullable<MetricSpec['object']>): Promise<Proposal> {
  const { hpa, client } = question
  const usage = await objectValue(client, hpa.metadata.namespace ?? '', describedObject, metric)
  const { replicas, current } = ofOneValue(question, usage, target)
  return {
    replicas,
    metric: `${describedObject.kind} metric ${metric.name}`,
    status: { type: 'Object', object: { metric, describedObject, current } },
  }
}

async function ofExternal(question: Question, { metric, target }: NonNullable<MetricSpec['external']>): Promise<Proposal> {
  const { hpa, client } = question
  const { replicas, current } = ofOneValue(question, await externalValue(client, hpa.metadata.namespace ?? '', metric), target)
  const selector = JSON.stringify(metric.selector ?? null)
  return {
    replicas,
    metric: `external metric ${metric.name}(${selector})`,
    status: { type: 'External', external: { metric, current } },
  }
}

/** A figure that is not of single pods: shared among them, or against the whole. */
function ofOneValue({ wanted, present, pods, tolerances }: Question, usage: number, { value, averageValue }: MetricTarget) {
  if (averageValue !== undefined) {
    const { replicas, average } = byShare(present, usage, toMilli(averageValue), tolerances)
    return { replicas, current: { averageValue: formatMilli(average) } }
  }
  const ready = pods.filter(({ status }) => status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')).length
  return { replicas: byValue(wanted, ready, usage, toMilli(value ?? '0'), tolerances), current: { value: formatMilli(usage) } }
}

function grouped({ pods, now }: Question, values: PodValues, resource: string) {
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count')
  return groupPods(pods, values, resource, now)
}

function formatMilli(value: number): string {
  return formatQuantity(quantityOf(Math.round(value), 'DecimalSI', -3))
}
