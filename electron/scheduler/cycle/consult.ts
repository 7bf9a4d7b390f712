/** Asks the extenders about a pod before it is decided where it goes. */
import { ADVICE, askAboutNodes, askAboutVictims, type Advice } from '../extenders/advice.ts'
import type { QueuedPod } from '../queue/queued-pod.ts'
import type { SchedulerCore } from './core.ts'
import type { NodeSearch } from './node-search.ts'
import { whatIf } from './what-if.ts'

/** Null: the pod concerns none of them. */
export async function consult(core: SchedulerCore, search: NodeSearch, { info }: QueuedPod): Promise<Advice | null> {
  const { pod } = info
  const runtime = core.profiles.get(pod.spec.schedulerName ?? '')
  const interested = core.extenders.filter((extender) => extender.isInterested(pod))
  if (!runtime || interested.length === 0 || pod.metadata.deletionTimestamp) return null
  const { framework } = runtime
  const attempt = framework.begin(core.cache.snapshot)
  const { nodes, diagnosis, fault } = search.find(framework, attempt, info)
  const objects = nodes.map(({ node }) => node)
  const advice = await askAboutNodes(interested, pod, fault ? [] : objects, core)
  const fits = [...advice.verdicts.values()].some((verdict) => verdict === null)
  if (fault || advice.fault || fits) return advice
  for (const [node, verdict] of advice.verdicts) if (verdict) diagnosis.statuses.set(node, verdict)
  const later = framework.begin(core.cache.snapshot)
  later.state.write(ADVICE, advice)
  framework.preFilter(later, info)
  return askAboutVictims(interested, pod, framework.propose(whatIf(later), info, diagnosis.statuses), advice, core)
}
