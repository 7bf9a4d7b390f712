/** Which node it is best to displace pods on. Source: `scheduler/framework/preemption`, `pickOneNodeForPreemption`. */
import { startOf, type Victims } from './victims.ts'

export interface Candidate {
  readonly node: string
  readonly victims: Victims
  readonly rank: Rank
}

type Rank = readonly number[]

/** Priorities are 32 bits; this makes all of them positive, so that more victims never weigh less. */
const ABOVE_ALL = 2 ** 31

export function candidate(node: string, victims: Victims): Candidate {
  return { node, victims, rank: rankOf(victims) }
}

/**
 * Fewest broken budgets; then the least important most important victim; then the smallest sum of priorities; then the fewest victims;
 * then those whose most important ones started last.
 */
export function isBetter(a: Candidate, b: Candidate): boolean {
  for (let i = 0; i < a.rank.length; i++) if (a.rank[i] !== b.rank[i]) return (a.rank[i] as number) < (b.rank[i] as number)
  return false
}

/** Of those that are equally good the first. */
export function bestCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined
  for (const one of candidates) if (!best || isBetter(one, best)) best = one
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
