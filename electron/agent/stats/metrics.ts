/** Prometheus' text of what nodes, pods and containers use: the names that metrics-server and dashboards know. Source: kubelet /metrics/resource, cAdvisor. */
import type { PodCache } from '../kubelet/pleg/pod-cache.ts'
import { CONTAINER_NAME } from '../kubelet/pods/names.ts'
import type { SummarySource } from './summary.ts'
import type { MeasuredUsage, UsageSampler } from './usage-sampler.ts'

export interface MetricsDeps {
  readonly sampler: UsageSampler
  readonly summary: SummarySource
  readonly cache: PodCache
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Milliseconds since the epoch; absent: now. */
  readonly at?: number
}

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly Sample[]
}

interface Row {
  readonly usage: MeasuredUsage
  readonly startedAt: number
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

async function rows({ sampler, cache }: MetricsDeps): Promise<Row[]> {
  const usages = await sampler.measure()
  return cache.list().flatMap((pod) =>
    pod.containers.flatMap((container) => {
      const usage = container.state === 'running' ? usages.get(container.id) : undefined
      const name = container.labels[CONTAINER_NAME] ?? container.name
      return usage ? [{ usage, startedAt: container.startedAt, namespace: pod.namespace, pod: pod.name, container: name }] : []
    }),
  )
}

/** What an autoscaler needs: /metrics/resource. */
export async function resourceMetrics(deps: MetricsDeps): Promise<string> {
  const [all, node] = await Promise.all([rows(deps), deps.summary.node()])
  const byPod = Map.groupBy(all, ({ namespace, pod }) => JSON.stringify({ namespace, pod }))
  const container = (value: (row: Row) => number): Sample[] =>
    all.map((row) => ({
      labels: { container: row.container, namespace: row.namespace, pod: row.pod },
      value: value(row),
      at: row.usage.at,
    }))
  const pod = (value: (row: Row) => number): Sample[] =>
    [...byPod].map(([key, group]) => ({
      labels: JSON.parse(key) as Record<string, string>,
      value: group.reduce((sum, row) => sum + value(row), 0),
      at: Math.max(...group.map(({ usage }) => usage.at)),
    }))
  const cpu = ({ usage }: Row) => usage.cpuNanoSeconds / 1e9
  const memory = ({ usage }: Row) => usage.workingSetBytes
  return render([
    { name: 'container_cpu_usage_seconds_total', type: 'counter', help: 'CPU time of the container in seconds', samples: container(cpu) },
    {
      name: 'container_memory_working_set_bytes',
      type: 'gauge',
      help: 'Working set of the container in bytes',
      samples: container(memory),
    },
    {
      name: 'container_start_time_seconds',
      type: 'gauge',
      help: 'Start of the container since the epoch in seconds',
      samples: container(({ startedAt }) => startedAt / 1000),
    },
    {
      name: 'node_cpu_usage_seconds_total',
      type: 'counter',
      help: 'CPU time of the node in seconds',
      samples: [{ labels: {}, value: node.cpuNanoSeconds / 1e9, at: node.at }],
    },
    {
      name: 'node_memory_working_set_bytes',
      type: 'gauge',
      help: 'Working set of the node in bytes',
      samples: [{ labels: {}, value: node.workingSetBytes, at: node.at }],
    },
    { name: 'pod_cpu_usage_seconds_total', type: 'counter', help: 'CPU time of the pod in seconds', samples: pod(cpu) },
    { name: 'pod_memory_working_set_bytes', type: 'gauge', help: 'Working set of the pod in bytes', samples: pod(memory) },
    {
      name: 'resource_scrape_error',
      type: 'gauge',
      help: '1 if an error occurred while the figures were read',
      samples: [{ labels: {}, value: 0 }],
    },
  ])
}

/** The part of cAdvisor's metrics that dashboards draw most. */
export async function containerMetrics(deps: MetricsDeps): Promise<string> {
  const all = await rows(deps)
  const family = (name: string, type: Family['type'], help: string, value: (row: Row) => number): Family => ({
    name,
    type,
    help,
    samples: all.map((row) => ({
      labels: { container: row.container, id: `/${row.usage.id}`, name: row.usage.id, namespace: row.namespace, pod: row.pod },
      value: value(row),
      at: row.usage.at,
    })),
  })
  return render([
    family(
      'container_cpu_usage_seconds_total',
      'counter',
      'CPU time of the container in seconds',
      ({ usage }) => usage.cpuNanoSeconds / 1e9,
    ),
    family('container_memory_usage_bytes', 'gauge', 'Memory of the container in bytes, all of it', ({ usage }) => usage.memoryBytes),
    family('container_memory_working_set_bytes', 'gauge', 'Working set of the container in bytes', ({ usage }) => usage.workingSetBytes),
    family('container_memory_rss', 'gauge', 'Anonymous memory of the container in bytes', ({ usage }) => usage.rssBytes),
    family('container_fs_usage_bytes', 'gauge', "Bytes of the container's writable layer", ({ usage }) => usage.diskBytes),
    family('container_fs_inodes_total', 'gauge', "Files of the container's writable layer", ({ usage }) => usage.diskInodes),
    family(
      'container_start_time_seconds',
      'gauge',
      'Start of the container since the epoch in seconds',
      ({ startedAt }) => startedAt / 1000,
    ),
  ])
}

/** Source: Prometheus text exposition format 0.0.4. */
function render(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels, value, at }) => {
        const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text.replace(/[\\"\n]/g, escape)}"`)
        return `${name}${pairs.length ? `{${pairs.join(',')}}` : ''} ${value}${at === undefined ? '' : ` ${Math.floor(at)}`}`
      })
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n')
    })
    .join('\n')
    .concat('\n')
}

function escape(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`
}
