/** Figures of the resource, custom and external metrics APIs. All values are in thousandths. Source: kubernetes `podautoscaler/metrics`. */
import type { CrossVersionObjectReference, MetricIdentifier } from '../../api/autoscaling/v2/types.gen.ts'
import { toMilli } from '../../api/values/quantity.ts'
import type { Client } from '../../client/client.ts'
import { selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { getJson } from './get-json.ts'
import { resourceOf } from './target.ts'

export interface PodValue {
  readonly value: number
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Milliseconds that it was measured over. */
  readonly window: number
}

/** By the pod's name. */
export type PodValues = ReadonlyMap<string, PodValue>

interface PodMetricsList {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
    readonly timestamp: string
    readonly window: string
    readonly containers: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[]
  }[]
}

interface MetricValueList {
  readonly items: readonly {
    readonly describedObject?: { readonly name: string }
    readonly timestamp: string
    readonly windowSeconds?: number
    readonly window?: number
    readonly value: string
  }[]
}

const RESOURCE = '/apis/metrics.k8s.io/v1beta1'
const CUSTOM = '/apis/custom.metrics.k8s.io/v1beta2'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1'
/** Of figures that do not say theirs. */
const WINDOW = 60_000

/** Of one container, or of all. A pod one of whose containers has no figure is left out. */
export async function resourceValues(
  client: Client,
  at: { readonly namespace: string; readonly selector: string },
  resource: string,
  container?: string,
): Promise<PodValues> {
  const path = `${RESOURCE}/namespaces/${at.namespace}/pods`
  const { items } = await getJson<PodMetricsList>(client, path, { labelSelector: at.selector })
  if (items.length === 0) throw new Error(`no metrics returned from resource metrics API`)
  const values = new Map<string, PodValue>()
  for (const { metadata, timestamp, window, containers } of items) {
    const wanted = containers.filter(({ name }) => container === undefined || name === container)
    const amounts = wanted.map(({ usage }) => usage[resource])
    if (amounts.length === 0 || amounts.includes(undefined)) continue
    const value = amounts.reduce((sum, amount) => sum + toMilli(amount ?? '0'), 0)
    values.set(metadata.name, { value, at: Date.parse(timestamp), window: goSeconds(window) })
  }
  return values
}

export async function podsValues(
  client: Client,
  at: { readonly namespace: string; readonly selector: string },
  metric: MetricIdentifier,
): Promise<PodValues> {
  const path = `${CUSTOM}/namespaces/${at.namespace}/pods/*/${encodeURIComponent(metric.name)}`
  const { items } = await getJson<MetricValueList>(client, path, { labelSelector: at.selector, metricLabelSelector: selectorText(metric) })
  if (items.length === 0) throw new Error('no metrics returned from custom metrics API')
  return new Map(
    items.map(({ describedObject, value, timestamp, windowSeconds }) => [
      describedObject?.name ?? '',
      {
        value: toMilli(value),
        at: Date.parse(timestamp),
        window: windowSeconds === undefined ? WINDOW : windowSeconds * 1000,
      },
    ]),
  )
}

export async function objectValue(
  client: Client,
  namespace: string,
  object: CrossVersionObjectReference,
  metric: MetricIdentifier,
): Promise<number> {
  const { resource } = await resourceOf(client, object)
  const [group = ''] = object.apiVersion?.includes('/') ? object.apiVersion.split('/') : []
  const part = group ? `${resource}.${group}` : resource
  const path =
    part === 'namespaces'
      ? `${CUSTOM}/namespaces/${object.name}/metrics/${encodeURIComponent(metric.name)}`
      : `${CUSTOM}/namespaces/${namespace}/${part}/${encodeURIComponent(object.name)}/${encodeURIComponent(metric.name)}`
  const { items } = await getJson<MetricValueList>(client, path, { metricLabelSelector: selectorText(metric) })
  const [first] = items
  if (!first) throw new Error('no metrics returned from custom metrics API')
  return toMilli(first.value)
}

/** The sum of all series. */
export async function externalValue(client: Client, namespace: string, metric: MetricIdentifier): Promise<number> {
  const path = `${EXTERNAL}/namespaces/${namespace}/${encodeURIComponent(metric.name)}`
  const { items } = await getJson<MetricValueList>(client, path, { labelSelector: selectorText(metric) })
  if (items.length === 0) throw new Error('no metrics returned from external metrics API')
  return items.reduce((sum, { value }) => sum + toMilli(value), 0)
}

function selectorText({ selector }: MetricIdentifier): string | undefined {
  return selector ? selectorFromObject(selector).toString() : undefined
}

/** Milliseconds of a Go duration such as "1m30s". */
function goSeconds(text: string): number {
  const [, minutes = '0', seconds = '0'] = /^(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(text) ?? []
  return (Number(minutes) * 60 + Number(seconds)) * 1000
}
