/**
 * HorizontalPodAutoscalers in their older shape, and the same in the newer, which is how they are stored. What the older one has no
 * fields for is in annotations. Source: kubernetes `apis/autoscaling/v1/conversion.go`.
 */
import { defaultAutoscaler } from '../v2/horizontal-pod-autoscaler.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
} from '../v2/types.gen.ts'
import { metricFromV1, metricToV1, statusFromV1, statusToV1 } from './metric-conversion.ts'
import type { HorizontalPodAutoscaler as OldAutoscaler, MetricSpec as OldMetric, MetricStatus as OldStatus } from './types.gen.ts'

const PREFIX = 'autoscaling.alpha.kubernetes.io/'
const METRICS = `${PREFIX}metrics`
const BEHAVIOR = `${PREFIX}behavior`
const CONDITIONS = `${PREFIX}conditions`
const CURRENT = `${PREFIX}current-metrics`
const ALL = [METRICS, BEHAVIOR, CONDITIONS, CURRENT]

/** CPU as a share of what is requested is all that the older shape has fields for. */
const isCpu = ({ resource }: MetricSpec) => resource?.name === 'cpu' && resource.target.averageUtilization !== undefined

/** With the newer shape's defaults, which whoever reads what is stored gets. */
export function toStored(old: OldAutoscaler): HorizontalPodAutoscaler {
  const made = toNewer(old)
  defaultAutoscaler(made.spec)
  return made
}

export function toNewer(old: OldAutoscaler): HorizontalPodAutoscaler {
  const { spec, status, metadata, ...rest } = old
  const { targetCPUUtilizationPercentage: cpu, ...kept } = spec
  const { currentCPUUtilizationPercentage: currentCpu, currentReplicas, ...seen } = status ?? {}
  const annotations = metadata.annotations ?? {}
  const metrics: MetricSpec[] = (parsed<OldMetric[]>(annotations[METRICS]) ?? []).map(metricFromV1)
  if (cpu !== undefined)
    metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } })
  const currentMetrics: MetricStatus[] = (parsed<OldStatus[]>(annotations[CURRENT]) ?? []).map(statusFromV1)
  if (currentCpu !== undefined && !currentMetrics.some(({ resource }) => resource?.name === 'cpu'))
    currentMetrics.unshift({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentCpu } } })
  const behavior = parsed<HorizontalPodAutoscalerBehavior>(annotations[BEHAVIOR])
  const conditions = parsed<HorizontalPodAutoscalerCondition[]>(annotations[CONDITIONS])
  return {
    ...rest,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, without(annotations)),
    spec: { ...kept, ...(metrics.length ? { metrics } : {}), ...(behavior ? { behavior } : {}) },
    status: {
      ...seen,
      // The newer shape leaves none out, the older writes it.
      ...(currentReplicas ? { currentReplicas } : {}),
      desiredReplicas: seen.desiredReplicas ?? 0,
      ...(currentMetrics.length ? { currentMetrics } : {}),
      ...(conditions ? { conditions } : {}),
    },
  }
}

export function fromStored({ spec, status, metadata, ...rest }: HorizontalPodAutoscaler): OldAutoscaler {
  const { metrics = [], behavior, ...kept } = spec
  const { conditions, currentMetrics = [], ...seen } = status ?? { desiredReplicas: 0 }
  const cpu = metrics.find(isCpu)
  const others = metrics.filter((metric) => metric !== cpu)
  const currentCpu = currentMetrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.current.averageUtilization
  const extra: Record<string, string> = {}
  if (others.length) extra[METRICS] = JSON.stringify(others.map(metricToV1))
  if (behavior) extra[BEHAVIOR] = JSON.stringify(behavior)
  if (conditions?.length) extra[CONDITIONS] = JSON.stringify(conditions)
  if (currentMetrics.length) extra[CURRENT] = JSON.stringify(currentMetrics.map(statusToV1))
  const target = cpu?.resource?.target.averageUtilization
  return {
    ...rest,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, { ...metadata.annotations, ...extra }),
    spec: { ...kept, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      ...seen,
      currentReplicas: seen.currentReplicas ?? 0,
      ...(currentCpu === undefined ? {} : { currentCPUUtilizationPercentage: currentCpu }),
    },
  }
}

function withAnnotations<M extends { annotations?: Record<string, string> }>(metadata: M, annotations: Record<string, string>): M {
  const { annotations: _, ...others } = metadata
  return (Object.keys(annotations).length ? { ...others, annotations } : others) as M
}

function without(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !ALL.includes(name)))
}

/** Undefined for what is no JSON: then the annotation says nothing. */
function parsed<T>(text: string | undefined): T | undefined {
  if (!text) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
