/** Answers metrics.k8s.io from what agents measure, as metrics-server does. */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { apiVersionOf, groupResource, type AnyKind } from '../../api/kind.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import { notFound } from '../../machinery/status.ts'
import type { Reader } from '../types.ts'
import { METRICS_GROUP, nodeMetricsKind, podMetricsKind, type NodeMetrics, type PodMetrics, type ResourceUsage } from './kinds.ts'
import { Summaries, type Measured, type PodSummary } from './summaries.ts'

/** The agents' speeds are of the time since they were asked before, which is not said. */
const WINDOW = '10s'

/** By resource and group. What is not there, or has not been measured, is refused in metrics-server's words. `client` may read nodes and pods, and ask agents through `nodes/proxy`. */
export function metricsReaders(client: Client, clock: Clock): Readonly<Record<string, Reader>> {
  const summaries = new Summaries(client, clock)

  const ofNode = async (node: Node): Promise<NodeMetrics | null> => {
    const measured = (await summaries.of(node.metadata.name))?.node
    const usage = measured && usageOf(measured)
    return usage ? { ...headOf(nodeMetricsKind, node), timestamp: measured.cpu.time, window: WINDOW, usage } : null
  }
  const ofPod = async (pod: Pod): Promise<PodMetrics | null> => {
    const summary = pod.spec.nodeName ? await summaries.of(pod.spec.nodeName) : null
    const found = summary?.pods.find(({ podRef }) => podRef.uid === pod.metadata.uid)
    return found ? podMetrics(pod, found) : null
  }

  return {
    [groupResource(nodeMetricsKind)]: {
      async get({ name }) {
        const found = await ofNode(await client.get(nodeKind, { name }))
        if (!found) throw notFound({ group: METRICS_GROUP, resource: 'nodemetrics' }, name)
        return found
      },
      async list({ labelSelector }) {
        const { items } = await client.list(nodeKind, { labelSelector })
        return (await Promise.all(items.map(ofNode))).filter((one) => one !== null)
      },
    },
    [groupResource(podMetricsKind)]: {
      async get({ name, namespace }) {
        const found = await ofPod(await client.get(podKind, { name, namespace }))
        if (!found) throw notFound({ group: METRICS_GROUP, resource: 'podmetrics' }, `${namespace}/${name}`)
        return found
      },
      async list({ namespace, labelSelector }) {
        const { items } = await client.list(podKind, { namespace: namespace || undefined, labelSelector })
        const running = items.filter(({ status }) => status.phase === 'Running')
        return (await Promise.all(running.map(ofPod))).filter((one) => one !== null)
      },
    },
  }
}

/** Null while one of its containers was measured once only: a sum without it would mislead. */
function podMetrics(pod: Pod, { containers }: PodSummary): PodMetrics | null {
  const measured = containers.flatMap((container) => {
    const usage = usageOf(container)
    return usage ? [{ name: container.name, usage }] : []
  })
  const [first] = containers
  if (!first || measured.length < containers.length) return null
  const timestamp = containers.reduce((oldest, { cpu }) => (cpu.time < oldest ? cpu.time : oldest), first.cpu.time)
  return { ...headOf(podMetricsKind, pod), timestamp, window: WINDOW, containers: measured }
}

function headOf(kind: AnyKind, { metadata }: Node | Pod) {
  const { name, namespace, labels, creationTimestamp } = metadata
  const own = { name, ...(namespace ? { namespace } : {}), ...(labels ? { labels } : {}), creationTimestamp }
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: own as Node['metadata'] }
}

function usageOf({ cpu, memory }: Measured): ResourceUsage | null {
  const { usageNanoCores } = cpu
  if (usageNanoCores === undefined) return null
  const kibibytes = Math.floor(memory.workingSetBytes / 1024)
  return { cpu: `${Math.round(usageNanoCores)}n`, memory: `${kibibytes}Ki` }
}
