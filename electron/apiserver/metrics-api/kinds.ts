/** What nodes and pods use, as `kubectl top` and autoscalers ask for it. Source: k8s.io/metrics `metrics.k8s.io/v1beta1`. */
import type { JSONSchemaProps } from '../../api/apiextensions/v1/types.gen.ts'
import { defineKind, type AnyKind } from '../../api/kind.ts'
import type { KubeObject, Quantity, Time } from '../../api/meta/v1/object.ts'

/** `cpu` in cores, `memory` in bytes of the working set. */
export interface ResourceUsage {
  readonly cpu: Quantity
  readonly memory: Quantity
}

export interface NodeMetrics extends KubeObject {
  readonly timestamp: Time
  /** Over which the speed was measured, as a Go duration: "15s". */
  readonly window: string
  readonly usage: ResourceUsage
}

export interface PodMetrics extends KubeObject {
  readonly timestamp: Time
  readonly window: string
  readonly containers: readonly { readonly name: string; readonly usage: ResourceUsage }[]
}

export const METRICS_GROUP = 'metrics.k8s.io'
const VERSION = 'v1beta1'

const text: JSONSchemaProps = { type: 'string' }
const usage: JSONSchemaProps = { type: 'object', additionalProperties: { 'x-kubernetes-int-or-string': true } }
const measured: Record<string, JSONSchemaProps> = { timestamp: { type: 'string', format: 'date-time' }, window: text }
const container: JSONSchemaProps = { type: 'object', properties: { name: text, usage }, required: ['name', 'usage'] }

function metricsKind(names: { kind: string; resource: string; namespaced: boolean }, properties: Record<string, JSONSchemaProps>): AnyKind {
  return defineKind({
    ...names,
    group: METRICS_GROUP,
    version: VERSION,
    model: `io.k8s.metrics.pkg.apis.metrics.${VERSION}.${names.kind}`,
    verbs: ['get', 'list'],
    answered: true,
    custom: { schema: { type: 'object', properties: { ...measured, ...properties }, required: ['timestamp', 'window'] }, versions: [] },
  })
}

export const nodeMetricsKind = metricsKind({ kind: 'NodeMetrics', resource: 'nodes', namespaced: false }, { usage })
export const podMetricsKind = metricsKind(
  { kind: 'PodMetrics', resource: 'pods', namespaced: true },
  { containers: { type: 'array', items: container } },
)
export const METRICS_KINDS: readonly AnyKind[] = [nodeMetricsKind, podMetricsKind]
