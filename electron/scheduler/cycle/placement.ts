/** The best node for a pod. Source: kubernetes `scheduler/schedule_one.go`, `schedulePod`, `prioritizeNodes`, `selectHost`. */
import { randomInt, type Random } from '../../base/random.ts'
import type { Attempt } from '../framework/attempt.ts'
import { NO_NODES, type Diagnosis } from '../framework/diagnosis.ts'
import type { Framework, PluginScores } from '../framework/framework.ts'
import { errorStatus, unschedulable, type Status } from '../framework/status.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import type { NodeSearch } from './node-search.ts'

export type Placement =
  | { readonly type: 'placed'; readonly node: string; readonly scores: ScoreTable | null }
  /** No node does; preemption may help. */
  | { readonly type: 'unfit'; readonly diagnosis: Diagnosis }
  /** There is nothing to choose from. */
  | { readonly type: 'no nodes'; readonly status: Status }
  | { readonly type: 'fault'; readonly status: Status }

/** What plugins gave the nodes that fit; null where there was only one, and nothing to weigh. */
export interface ScoreTable {
  readonly nodes: readonly string[]
  readonly plugins: readonly PluginScores[]
  /** The weighted sums. */
  readonly totals: readonly number[]
}

export function place(framework: Framework, attempt: Attempt, pod: PodInfo, search: NodeSearch, random: Random): Placement {
  if (attempt.snapshot.nodes.length === 0) return { type: 'no nodes', status: unschedulable('', [NO_NODES]) }
  const { nodes, diagnosis, fault } = search.find(framework, attempt, pod)
  if (fault) return { type: 'fault', status: fault }
  const [first] = nodes
  if (!first) return { type: 'unfit', diagnosis }
  if (nodes.length === 1) return { type: 'placed', node: first.name, scores: null }
  const refusal = framework.preScore(attempt, pod, nodes)
  if (refusal) return { type: 'fault', status: { ...refusal, code: 'Error' } }
  const plugins: PluginScores[] = []
  try {
    const totals = framework.score(attempt, pod, nodes, (scores) => plugins.push(scores))
    const node = (nodes[bestOf(totals, random)] as NodeInfo).name
    return { type: 'placed', node, scores: { nodes: nodes.map(({ name }) => name), plugins, totals } }
  } catch (error) {
    return { type: 'fault', status: errorStatus('', error) }
  }
}

/** The place of the largest; of several alike any, each with the same chance. */
export function bestOf(scores: readonly number[], random: Random): number {
  let best = 0
  let alike = 1
  for (let i = 1; i < scores.length; i++) {
    const [score, most] = [scores[i] as number, scores[best] as number]
    if (score < most) continue
    alike = score > most ? 1 : alike + 1
    if (alike === 1 || randomInt(random, alike) === 0) best = i
  }
  return best
}
