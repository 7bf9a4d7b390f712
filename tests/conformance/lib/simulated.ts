/** Simulated nodes for rows that look at objects only: `needs.tsv` asks for real ones, so that what passes here is reported apart. */
import { spawn } from 'node:child_process'
import { node as nodeKind } from '../../../electron/api/core/v1/node.ts'
import type { Container, Pod } from '../../../electron/api/core/v1/types.gen.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import type { Client } from '../../../electron/client/client.ts'
import { isConditionTrue } from '../../../electron/machinery/conditions.ts'
import { createHollowKubelets, type HollowKubelets } from '../../simulation/hollow-kubelets.ts'
import type { Behaviour as Played } from '../../simulation/behaviour.ts'
import { eventually } from './behaviour.ts'
import type { Row } from './rows.ts'
import { STAY } from './running.ts'

const SIGS = ['apps', 'scheduling', 'api-machinery']

/** These run something in a container, talk to it, read its log, or have it leave something on a volume. */
const REAL_CONTAINERS = new Set([
  'aggregator-sample-apiserver',
  'job-indexed',
  'job-local-restart',
  'job-pfp-ignore-disruption',
  'rc-serve-image',
  'replicaset-serve-image',
  'statefulset-burst-scaling',
  'statefulset-scale-ordered',
])

/** Whether simulated nodes can show the row's behaviour. */
export function canBeSimulated({ id, sig, needs }: Row): boolean {
  return needs !== 'api' && SIGS.includes(sig) && !REAL_CONTAINERS.has(id)
}

/** Ready to take pods. */
export async function startSimulatedNodes(client: Client, count: number): Promise<HollowKubelets> {
  const nodes = Array.from({ length: count }, (_, i) => ({ name: `simulated-${i}` }))
  const kubelets = createHollowKubelets({ client, clock: systemClock, random: systemRandom, logger: silentLogger, nodes, play })
  await kubelets.start()
  await eventually(AbortSignal.timeout(60_000), 'the simulated nodes are ready', async () => {
    const { items } = await client.list(nodeKind)
    return items.filter(({ spec, status }) => !spec.taints?.length && isConditionTrue(status.conditions, 'Ready')).length === count
  })
  return kubelets
}

/** Images that are called missing are; scripts that end of themselves are run on this machine. */
function play(pod: Pod): Partial<Played> {
  const missingImage = pod.spec.containers.some(({ image }) => image?.includes('/missing:') ?? false)
  return { missingImage, run: (container, _attempt, signal) => runScript(pod, container, signal) }
}

function runScript({ metadata, spec }: Pod, { command = [] }: Container, signal: AbortSignal): Promise<number> | null {
  const [shell, flag, script] = command
  if (shell !== '/bin/sh' || flag !== '-c' || script === undefined || script === STAY || spec.volumes?.some(({ hostPath }) => hostPath))
    return null
  const index = metadata.annotations?.['batch.kubernetes.io/job-completion-index']
  const child = spawn(shell, [flag, script], { signal, stdio: 'ignore', env: index === undefined ? {} : { JOB_COMPLETION_INDEX: index } })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 143))
  })
}
