/** What a HorizontalPodAutoscaler goes by. Source: kubernetes `apis/autoscaling/validation`, `pkg/printers/internalversion`. */
import { validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { pathSegmentName } from '../../values/names.ts'
import { tryQuantity, toMilli } from '../../values/quantity.ts'
import type {
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from './types.gen.ts'

const TARGETS = ['AverageValue', 'Utilization', 'Value']
/** By type: the field that holds it. */
const SOURCES: Readonly<Record<string, keyof MetricSpec>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
}
const UNKNOWN = '<unknown>'
/** That a table shows. */
const SHOWN = 2

export const DEFAULT_METRIC: MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
}

export function validateMetrics(metrics: readonly MetricSpec[] | undefined, field: string): FieldError[] {
  return (metrics ?? []).flatMap((metric, i) => validateMetric(metric, `${field}[${i}]`))
}

function validateMetric(metric: MetricSpec, field: string): FieldError[] {
  const { type } = metric
  const own = SOURCES[type]
  const out: FieldError[] = []
  if (type === '') out.push(required(`${field}.type`, 'must specify a metric source type'))
  else if (!own) out.push(notSupported(`${field}.type`, type, Object.keys(SOURCES)))
  for (const name of Object.values(SOURCES)) {
    if (metric[name] === undefined) continue
    out.push(...validateSource(metric, name, `${field}.${name}`))
    if (own && own !== name) out.push(forbidden(`${field}.${name}`, `must populate the given metric source only`))
  }
  if (own && metric[own] === undefined) out.push(required(`${field}.${own}`, 'must populate information for the given metric source'))
  return out
}

function validateSource(metric: MetricSpec, name: keyof MetricSpec, field: string): FieldError[] {
  const { containerResource, external, object, pods, resource } = metric
  if (name === 'object' && object) {
    return [
      ...validateReference(object.describedObject, `${field}.describedObject`),
      ...validateIdentifier(object.metric, `${field}.metric`),
      ...validateTarget(object.target, `${field}.target`),
      ...oneValue(object.target, field, 'must set either a target value or averageValue'),
    ]
  }
  if (name === 'external' && external) {
    const both = external.target.value !== undefined && external.target.averageValue !== undefined
    return [
      ...validateIdentifier(external.metric, `${field}.metric`),
      ...validateTarget(external.target, `${field}.target`),
      ...oneValue(external.target, field, 'must set either a target value for metric or a per-pod target'),
      ...(both ? [forbidden(`${field}.target.value`, 'may not set both a target value for metric and a per-pod target')] : []),
    ]
  }
  if (name === 'pods' && pods) {
    return [
      ...validateIdentifier(pods.metric, `${field}.metric`),
      ...validateTarget(pods.target, `${field}.target`),
      ...(isPositive(pods.target.averageValue)
        ? []
        : [required(`${field}.target.averageValue`, 'must specify a positive target averageValue')]),
    ]
  }
  const source = name === 'containerResource' ? containerResource : resource
  if (!source) return []
  const container = containerResource && name === 'containerResource' && containerResource.container === ''
  return [
    ...(container ? [required(`${field}.container`, 'must specify a container')] : []),
    ...(source.name === '' ? [required(`${field}.name`, 'must specify a resource name')] : []),
    ...validateTarget(source.target, `${field}.target`),
    ...validateResourceTarget(source.target, `${field}.target`),
  ]
}

function validateResourceTarget({ averageUtilization, averageValue }: MetricTarget, field: string): FieldError[] {
  if (averageUtilization === undefined && averageValue === undefined)
    return [required(`${field}.averageUtilization`, 'must set either a target raw value or a target utilization')]
  if (averageUtilization !== undefined && averageValue !== undefined)
    return [forbidden(`${field}.averageValue`, 'may not set both a target raw value and a target utilization')]
  return []
}

function oneValue({ value, averageValue }: MetricTarget, field: string, why: string): FieldError[] {
  return value === undefined && averageValue === undefined ? [required(`${field}.target.averageValue`, why)] : []
}

function validateTarget({ type, value, averageValue, averageUtilization }: MetricTarget, field: string): FieldError[] {
  const out: FieldError[] = []
  if (type === '') out.push(required(`${field}.type`, 'must specify a metric target type'))
  else if (!TARGETS.includes(type)) out.push(invalid(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  if (value !== undefined && !isPositive(value)) out.push(invalid(`${field}.value`, value, 'must be positive'))
  if (averageValue !== undefined && !isPositive(averageValue)) out.push(invalid(`${field}.averageValue`, averageValue, 'must be positive'))
  if (averageUtilization !== undefined && averageUtilization < 1)
    out.push(invalid(`${field}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  return out
}

function validateIdentifier({ name, selector }: MetricIdentifier, field: string): FieldError[] {
  const named = name ? invalidEach(`${field}.name`, name, pathSegmentName(name)) : [required(`${field}.name`, 'must specify a metric name')]
  return [...named, ...validateLabelSelector(selector, `${field}.selector`)]
}

export function validateReference({ kind, name }: CrossVersionObjectReference, field: string): FieldError[] {
  const need = (part: string, value: string) =>
    value ? invalidEach(`${field}.${part}`, value, pathSegmentName(value)) : [required(`${field}.${part}`)]
  return [...need('kind', kind), ...need('name', name)]
}

function isPositive(quantity: string | undefined): boolean {
  const parsed = quantity === undefined ? null : tryQuantity(quantity)
  return parsed !== null && toMilli(parsed) > 0
}

/** "cpu: 12%/80%, 3/5 + 1 more..."; for a table. */
export function metricsText(metrics: readonly MetricSpec[] | undefined, statuses: readonly MetricStatus[] | undefined): string {
  if (!metrics?.length) return '<none>'
  const texts = metrics.slice(0, SHOWN).map((metric, i) => metricText(metric, statuses?.[i]))
  const more = metrics.length > SHOWN ? ` + ${metrics.length - SHOWN} more...` : ''
  return texts.join(', ') + more
}

function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  const { containerResource, external, object, pods, resource } = metric
  const source = containerResource ?? resource
  if (source) {
    const current = containerResource ? status?.containerResource?.current : status?.resource?.current
    return `${source.name}: ${resourceText(source.target, current)}`
  }
  if (pods) return `${status?.pods?.current.averageValue ?? UNKNOWN}/${pods.target.averageValue ?? ''}`
  if (object) return valueText(object.target, status?.object?.current)
  return external ? valueText(external.target, status?.external?.current) : '<unknown type>'
}

function resourceText({ averageValue, averageUtilization }: MetricTarget, current: MetricValueStatus | undefined): string {
  if (averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${averageValue}`
  const percent = (value: number | undefined, none: string) => (value === undefined ? none : `${value}%`)
  return `${percent(current?.averageUtilization, UNKNOWN)}/${percent(averageUtilization, '<auto>')}`
}

function valueText({ averageValue, value }: MetricTarget, current: MetricValueStatus | undefined): string {
  if (averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${averageValue} (avg)`
  return `${current?.value ?? UNKNOWN}/${value ?? ''}`
}
