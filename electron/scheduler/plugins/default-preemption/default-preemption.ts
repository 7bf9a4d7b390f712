import { ACTION } from '../../framework/events.ts'
import type { Attempt } from '../../framework/attempt.ts'
import { definePlugin, type Handle } from '../../framework/descriptor.ts'
import { Diagnosis } from '../../framework/diagnosis.ts'
import type { NodeStatuses } from '../../framework/node-statuses.ts'
import type { AnyPlugin, PostFilterAnswer } from '../../framework/plugin.ts'
import { ADVICE, narrowed, type Advice } from '../../extenders/advice.ts'
import { errorStatus, unresolvable, unschedulable, type Status } from '../../framework/status.ts'
import { PodInfo } from '../../snapshot/pod-info.ts'
import { CandidateSearch, type CandidateLimits } from './candidates.ts'
import { Evictions } from './evictions.ts'
import { bestCandidate, candidate, type Candidate } from './ranks.ts'
import { mayDisplace, NAME, type Victims } from './victims.ts'

export type DefaultPreemptionArgs = CandidateLimits

const NOT_HELPFUL = ['Preemption is not helpful for scheduling']

/** Makes room for a pod that fits nowhere by deleting less important ones, and promises it the node. */
export const defaultPreemption = definePlugin<DefaultPreemptionArgs>({
  name: NAME,
  defaults: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
  create(limits, handle): AnyPlugin {
    const evictions = new Evictions(handle)
    return {
      name: NAME,
      // What lets a pod be tried again is said by the plugins that refused it; this one only lets go of it.
      events: [{ event: { resource: 'AssignedPod', action: ACTION.delete }, hint: () => 'Skip' }],
      preEnqueue: ({ uid }) =>
        evictions.isRunning(uid) ? unresolvable(NAME, ['waiting for the preemption for this pod to be finished']) : null,
      propose(attempt, waiting, statuses) {
        const found = search(handle, limits, attempt, waiting, statuses)
        return 'why' in found ? new Map() : proposalsOf(found)
      },
      postFilter(attempt, pod, statuses) {
        const answer = preempt(handle, limits, evictions, attempt, pod, statuses)
        const { status } = answer
        if (!status?.reasons.length) return answer
        return { ...answer, status: { ...status, reasons: [`preemption: ${status.reasons.join(', ')}`] } }
      },
    }
  },
})

function preempt(
  handle: Handle,
  limits: CandidateLimits,
  evictions: Evictions,
  attempt: Attempt,
  waiting: PodInfo,
  statuses: NodeStatuses,
): PostFilterAnswer {
  const found = search(handle, limits, attempt, waiting, statuses)
  if ('why' in found) return { status: found.why }
  const { pod, candidates, diagnosis } = found
  const advice = attempt.state.find(ADVICE)
  const best = advice ? agreed(found, advice) : candidates?.best(diagnosis.statuses)
  if (!best) return { status: unschedulable(NAME, [diagnosis.message(attempt.snapshot.nodes.length)]), nominate: '' }
  evictions.begin(pod, best)
  return { status: null, nominate: best.node }
}

/** Where all of the victims are gone in the meantime, there is nobody to displace. */
function agreed(found: Found, { victims: approved }: Advice): Candidate | undefined {
  const proposals = proposalsOf(found)
  const left = approved ? narrowed(proposals, approved) : proposals
  return bestCandidate([...left].filter(([, { pods }]) => pods.length > 0).map(([node, victims]) => candidate(node, victims)))
}

function proposalsOf({ candidates, diagnosis }: Found): Map<string, Victims> {
  return new Map(candidates?.all(diagnosis.statuses).map(({ node, victims }) => [node, victims]))
}

interface Found {
  /** As it is now. */
  readonly pod: PodInfo
  /** Null: there is no node that it would help on. */
  readonly candidates: CandidateSearch | null
  /** Why other nodes do not do. */
  readonly diagnosis: Diagnosis
}

function search(
  handle: Handle,
  limits: CandidateLimits,
  attempt: Attempt,
  waiting: PodInfo,
  statuses: NodeStatuses,
): Found | { readonly why: Status } {
  const live = handle.livePod(waiting.namespace, waiting.pod.metadata.name)
  if (!live) return { why: errorStatus(NAME, new Error(`pod "${waiting.pod.metadata.name}" not found`)) }
  const pod = live === waiting.pod ? waiting : new PodInfo(live, waiting)
  const why = ineligible(attempt, pod, statuses)
  if (why) return { why: unschedulable(NAME, [why]) }

  const { nodes } = attempt.snapshot
  const promising = statuses.withCode(nodes, 'Unschedulable')
  const diagnosis = new Diagnosis()
  diagnosis.statuses.absent = unresolvable(NAME, NOT_HELPFUL)
  const candidates = promising.length ? new CandidateSearch(handle, attempt, pod, promising, limits) : null
  return { pod, candidates, diagnosis }
}

/** Why the pod may not displace others, or not yet. */
function ineligible({ snapshot }: Attempt, pod: PodInfo, statuses: NodeStatuses): string | null {
  const { spec, status } = pod.pod
  if (spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const promised = status.nominatedNodeName
  if (!promised || statuses.get(promised).code === 'UnschedulableAndUnresolvable') return null
  for (const victim of snapshot.node(promised)?.pods() ?? []) {
    if (mayDisplace(pod, victim) && isLeavingForAnother(victim)) return 'not eligible due to a terminating pod on the nominated node.'
  }
  return null
}

function isLeavingForAnother({ pod, terminating }: PodInfo): boolean {
  const condition = terminating && pod.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
  return condition ? condition.status === 'True' && condition.reason === 'PreemptionByScheduler' : false
}
