/** On which nodes a pod could displace others, and which of them is best. Source: `scheduler/framework/preemption`. */
import { randomInt } from '../../../base/random.ts'
import type { Attempt } from '../../framework/attempt.ts'
import type { Handle } from '../../framework/descriptor.ts'
import type { NodeStatuses } from '../../framework/node-statuses.ts'
import type { Status } from '../../framework/status.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import { DryRuns } from './dry-runs.ts'
import { selectVictims, startOf, type Victims } from './victims.ts'

export interface Candidate {
  readonly node: string
  readonly victims: Victims
  /** By what candidates are compared, where it is known already. */
  readonly rank?: Rank
}

type Rank = readonly number[]

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
    const found = victimsOn(node)
    if ('code' in found) failures.add(node, found)
    else if (found.victims.pods.length > 0) (found.victims.violations === 0 ? clean : violating).push(found)
    if (clean.length > 0 && clean.length + violating.length >= wanted) break
  }
  return [...clean, ...violating]
}

/** Where all filters look at nodes alone, the victims on a node are those that the last pod of this kind found there. */
function victimSearch(handle: Handle, attempt: Attempt, pod: PodInfo): (node: NodeInfo) => Candidate | Status {
  const budgets = attempt.snapshot.objects.disruptionBudgets()
  const search = (node: NodeInfo) => {
    const victims = selectVictims(handle, attempt.fork(), pod, node.copy(), budgets)
    return 'code' in victims ? victims : { node: node.name, victims, rank: rankOf(victims) }
  }
  const { answers, filters } = attempt
  if (!answers || !filters.every(({ ofNodeAlone }) => ofNodeAlone)) return search
  const runs = answers.keep(`dry runs by ${filters.map(({ name }) => name).join()}`, () => new DryRuns())
  runs.renew(attempt.snapshot, handle.nominated, budgets)
  // Of what it was promised itself, another pod has to think otherwise.
  const own = handle.nominated.nodeOf(pod.uid)
  return (node) => (node.name === own ? search(node) : (runs.find(node) ?? runs.set(node, search(node))))
}

/**
 * Fewest broken budgets; then the least important most important victim; then the smallest sum of priorities; then the fewest victims;
 * then those whose most important ones started last; then the first.
 */
export function bestCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined
  let least: Rank = []
  for (const candidate of candidates) {
    const rank = candidate.rank ?? rankOf(candidate.victims)
    if (best && !isLess(rank, least)) continue
    best = candidate
    least = rank
  }
  return best
}

/** What is compared, in this order; smaller is better. */
function rankOf({ pods, violations }: Victims): Rank {
  const highest = pods[0]?.priority ?? 0
  let sum = 0
  let earliest = Number.POSITIVE_INFINITY
  for (const pod of pods) {
    sum += pod.priority + ABOVE_ALL
    if (pod.priority === highest) earliest = Math.min(earliest, startOf(pod))
  }
  return [violations, highest, sum, pods.length, -earliest]
}

function isLess(a: Rank, b: Rank): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number)
  return false
}
