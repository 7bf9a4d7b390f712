/** On which nodes a pod could displace others, and which of them is best. Source: `scheduler/framework/preemption`. */
import { randomInt } from '../../../base/random.ts'
import type { Attempt } from '../../framework/attempt.ts'
import type { Handle } from '../../framework/descriptor.ts'
import type { NodeStatuses } from '../../framework/node-statuses.ts'
import type { Status } from '../../framework/status.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import { selectVictims, startOf, type Victims } from './victims.ts'

export interface Candidate {
  readonly node: string
  readonly victims: Victims
}

export interface CandidateLimits {
  /** Of the nodes that come into question, at least so many are tried. */
  readonly minCandidateNodesPercentage: number
  readonly minCandidateNodesAbsolute: number
}

/** Priorities are 32 bits; this makes all of them positive, so that more victims never weigh less. */
const ABOVE_ALL = 2 ** 31

/** Tries nodes from a random one on, until there are enough; those that break no budget come first. Says in `failures` why others do not do. */
export function findCandidates(
  handle: Handle,
  attempt: Attempt,
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  limits: CandidateLimits,
  failures: NodeStatuses,
): Candidate[] {
  const share = Math.trunc((nodes.length * limits.minCandidateNodesPercentage) / 100)
  const wanted = Math.min(Math.max(share, limits.minCandidateNodesAbsolute), nodes.length)
  const offset = randomInt(handle.random, nodes.length)
  const victimsOn = victimSearch(handle, attempt, pod)
  const [clean, violating]: [Candidate[], Candidate[]] = [[], []]
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[(offset + i) % nodes.length] as NodeInfo
    const victims = victimsOn(node)
    if ('code' in victims) failures.set(node.name, victims)
    else if (victims.pods.length > 0) (victims.violations === 0 ? clean : violating).push({ node: node.name, victims })
    if (clean.length > 0 && clean.length + violating.length >= wanted) break
  }
  return [...clean, ...violating]
}

interface Found {
  readonly victims: Victims | Status
  readonly promised: readonly PodInfo[]
  readonly budgets: string
}

/** Where all filters look at nodes alone, the victims on a node are those that the last pod of this kind found there. */
function victimSearch(handle: Handle, attempt: Attempt, pod: PodInfo): (node: NodeInfo) => Victims | Status {
  const budgets = attempt.snapshot.objects.disruptionBudgets()
  const search = (node: NodeInfo) => selectVictims(handle, attempt.fork(), pod, node.copy(), budgets)
  const { answers, filters } = attempt
  if (!answers || !filters.every(({ ofNodeAlone }) => ofNodeAlone)) return search
  const known = answers.of<Found>(`victims by ${filters.map(({ name }) => name).join()}`)
  const state = budgets.map(({ metadata }) => `${metadata.uid}/${metadata.resourceVersion}`).join()
  return (node) => {
    const promised = handle.nominated.onNode(node.name)
    const found = known.find(node)
    if (found && found.promised === promised && found.budgets === state) return found.victims
    const victims = search(node)
    // Of what it was promised itself, another pod has to think otherwise.
    if (!promised.some(({ uid }) => uid === pod.uid)) known.set(node, { victims, promised, budgets: state })
    return victims
  }
}

/**
 * Fewest broken budgets; then the least important most important victim; then the smallest sum of priorities; then the fewest victims;
 * then those whose most important ones started last; then the first.
 */
export function bestCandidate(candidates: readonly Candidate[], now: number): Candidate | undefined {
  const measures: readonly ((victims: Victims) => number)[] = [
    ({ violations }) => violations,
    ({ pods }) => pods[0]?.priority ?? 0,
    ({ pods }) => pods.reduce((sum, { priority }) => sum + priority + ABOVE_ALL, 0),
    ({ pods }) => pods.length,
    ({ pods }) => -earliestStart(pods, now),
  ]
  let best = candidates
  for (const measure of measures) {
    if (best.length <= 1) break
    const values = best.map(({ victims }) => measure(victims))
    const least = values.reduce((a, b) => Math.min(a, b))
    best = best.filter((_, i) => values[i] === least)
  }
  return best[0]
}

function earliestStart(pods: readonly PodInfo[], now: number): number {
  const most = pods.reduce((a, { priority }) => Math.max(a, priority), Number.NEGATIVE_INFINITY)
  return pods.filter(({ priority }) => priority === most).reduce((a, pod) => Math.min(a, startOf(pod, now)), Number.POSITIVE_INFINITY)
}
