/** Figures over time for the harbor's nodes and pods: waves that differ from one to the next, with an hour's gap in the longer ranges. */
import { node as nodeKind } from '../../../electron/api/core/v1/node.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import type { Client } from '../../../electron/client/client.ts'
import { METRIC_FIELDS, type METRICS_CHANNELS, type MetricField } from '../../../electron/contracts/metrics.ts'
import type { Handlers } from '../../../electron/contracts/server.ts'
import { workloadOf } from '../../../electron/plane/metrics/owners.ts'
import { POD } from './cluster.ts'

const MI = 1024 * 1024
const RANGES = { hour: [15_000, 240], day: [60_000, 1440], fortnight: [600_000, 2016] } as const
const SIZES: Readonly<Record<string, number>> = { cluster: 40, node: 12, namespace: 10, workload: 4, pod: 1, container: 1 }
const BASES: Readonly<Record<MetricField, number>> = { cpu: 0.12, memory: 90 * MI, received: 24_000, sent: 61_000, disk: 30 * MI }

const seedOf = (text: string) => Array.from(text).reduce((seed, sign) => (seed * 31 + sign.charCodeAt(0)) % 997, 7)

function valueOf(kind: string, name: string, field: MetricField, at: number): number {
  const seed = seedOf(name + field)
  const wave = 1 + 0.35 * Math.sin(at / 400_000 + seed) + 0.15 * Math.sin(at / 61_000 + seed * 3)
  return BASES[field] * (SIZES[kind] ?? 1) * (0.4 + (seed % 60) / 60) * wave
}

export function fakeMetrics(client: Client): Handlers<typeof METRICS_CHANNELS> {
  return {
    'metrics.history'({ of, range }) {
      const [step, count] = RANGES[range]
      const start = (Math.floor(systemClock.now() / step) - count + 1) * step
      const isGap = (i: number) => range === 'day' && i > 700 && i < 760
      const values = (kind: string, name: string, field: MetricField) =>
        Array.from({ length: count }, (_, i) => (isGap(i) ? null : valueOf(kind, name, field, start + i * step)))
      return {
        start,
        step,
        series: of.map(({ kind, name }) =>
          name.endsWith('-unknown')
            ? null
            : (Object.fromEntries(METRIC_FIELDS.map((field) => [field, values(kind, name, field)])) as Record<MetricField, number[]>),
        ),
      }
    },
    async 'metrics.top'({ kind, by, namespace, node, limit }) {
      const { items: pods } = await client.list(POD)
      const { items: nodes } = await client.list(nodeKind)
      const names = {
        cluster: [''],
        node: nodes.map(({ metadata }) => metadata.name),
        namespace: [...new Set(pods.map(({ metadata }) => metadata.namespace ?? ''))],
        workload: [...new Set(pods.map(workloadOf).filter((name) => name !== null))],
        pod: pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
        container: pods.flatMap(({ metadata, spec }) => spec.containers.map((c) => `${metadata.namespace}/${metadata.name}/${c.name}`)),
      }[kind]
      const nodeOf = (name: string) => pods.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === name)?.spec.nodeName ?? null
      const items = names
        .map((name) => ({
          name,
          node: kind === 'pod' ? nodeOf(name) : null,
          ...(Object.fromEntries(METRIC_FIELDS.map((field) => [field, valueOf(kind, name, field, systemClock.now())])) as Record<
            MetricField,
            number
          >),
        }))
        .filter(({ name }) => namespace === undefined || name === namespace || name.startsWith(`${namespace}/`))
        .filter((item) => node === undefined || item.node === node)
        .toSorted((a, b) => b[by] - a[by])
      return { total: items.length, items: items.slice(0, limit) }
    },
    'metrics.status': () => ({
      measuredAt: systemClock.now() - 4000,
      nodes: 4,
      silent: ['skiff'],
      series: 120,
      memoryBytes: 3_200_000,
      diskBytes: 410_000,
      lastRoundMs: 6.2,
    }),
  }
}
