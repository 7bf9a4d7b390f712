import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import type { Caller } from '../../contracts/caller.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Command } from '../command.ts'
import { listMachines } from '../../plane/sandboxes.ts'
import { table } from '../output.ts'
import { connectRunning } from '../session.ts'

export const status: Command = {
  name: 'status',
  usage: '[--state DIR] [--json]',
  summary: 'Says how the cluster on a state folder does.',
  async run({ output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const cluster = await firstStatus(caller, signal)
    const items = async <T>(path: string) => ((await caller.call('kube.request', { method: 'GET', path })).body as { items: T[] }).items
    const [nodes, pods, machines] = await Promise.all([items<Node>('/api/v1/nodes'), items<Pod>('/api/v1/pods'), listMachines(caller)])
    const rows = nodes.map((node) => ({
      name: node.metadata.name,
      ready: node.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false,
      pods: pods.filter((pod) => pod.spec.nodeName === node.metadata.name).length,
      machine: machines.find((m) => m.metadata.name === node.metadata.name)?.status.phase ?? null,
    }))
    const running = pods.filter((pod) => pod.status.phase === 'Running').length
    const text = [
      `${cluster.name}: ${cluster.phase}, ${cluster.server}, revision ${cluster.revision}`,
      `${rows.filter((n) => n.ready).length} of ${rows.length} nodes ready, ${running} of ${pods.length} pods running`,
      ...(rows.length
        ? [
            '',
            table(
              ['NODE', 'READY', 'MACHINE', 'PODS'],
              rows.map((n) => [n.name, n.ready ? 'yes' : 'no', n.machine ?? '-', String(n.pods)]),
            ),
          ]
        : []),
    ].join('\n')
    output.result({ ...cluster, nodes: rows, pods: { total: pods.length, running } }, text)
  },
}

async function firstStatus(caller: Caller<Channels>, signal: AbortSignal) {
  const stop = new AbortController()
  try {
    for await (const { value } of caller.open('cluster.status', undefined, { signal: AbortSignal.any([signal, stop.signal]) })) return value
    throw new Error('the plane gave no status')
  } finally {
    stop.abort()
  }
}
