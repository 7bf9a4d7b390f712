/** What nodes, pods and containers used over time, as the plane keeps it. */
import * as v from 'valibot'
import { call, nothing } from './channel.ts'

export const METRIC_FIELDS = ['cpu', 'memory', 'received', 'sent', 'disk'] as const
/**
 * `cpu` in cores, `memory` in bytes of the working set, `received` and `sent` in bytes a second, `disk` in bytes: of a node's file
 * system, of a pod's and a container's own writing.
 */
export type MetricField = (typeof METRIC_FIELDS)[number]

const KINDS = ['cluster', 'node', 'namespace', 'workload', 'pod', 'container'] as const
export type MetricKind = (typeof KINDS)[number]
const kind = v.picklist(KINDS)
const whole = v.pipe(v.number(), v.integer())

/**
 * A node's name, a namespace, "NAMESPACE/Kind/NAME" of a workload, "NAMESPACE/NAME" of a pod, "NAMESPACE/POD/NAME" of a container; "" of
 * the cluster.
 */
const name = v.pipe(v.string(), v.maxLength(800))
const values = v.array(v.nullable(v.number()))

export const METRICS_CHANNELS = {
  /** Means of steps; the coarser, the longer the time. Null where nothing was measured. Times in milliseconds since the epoch. */
  'metrics.history': call(
    v.object({ of: v.pipe(v.array(v.object({ kind, name })), v.maxLength(200)), range: v.picklist(['hour', 'day', 'fortnight']) }),
    v.object({
      /** Of the first value. */
      start: whole,
      step: whole,
      /** As they were asked for; null for what is not known. */
      series: v.array(v.nullable(v.object({ cpu: values, memory: values, received: values, sent: values, disk: values }))),
    }),
  ),
  /** Who uses most now, of those that were measured last. */
  'metrics.top': call(
    v.object({
      kind,
      by: v.picklist(METRIC_FIELDS),
      namespace: v.optional(v.string()),
      node: v.optional(v.string()),
      limit: v.pipe(whole, v.minValue(1), v.maxValue(1000)),
    }),
    v.object({
      total: whole,
      items: v.array(
        v.object({
          name,
          node: v.nullable(v.string()),
          cpu: v.nullable(v.number()),
          memory: v.nullable(v.number()),
          received: v.nullable(v.number()),
          sent: v.nullable(v.number()),
          disk: v.nullable(v.number()),
        }),
      ),
    }),
  ),
  /** How the sampling goes. Bytes, and milliseconds of this process' CPU that the last round took. */
  'metrics.status': call(
    nothing,
    v.object({
      measuredAt: v.nullable(v.number()),
      nodes: whole,
      /** Nodes that did not answer the last time. */
      silent: v.array(v.string()),
      series: whole,
      memoryBytes: whole,
      diskBytes: whole,
      lastRoundMs: v.number(),
    }),
  ),
} as const
