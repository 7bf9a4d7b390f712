/** What each filter says of each node for a pod, and what the nodes that fit would be given, as things are now. */
import type { Framework } from '../framework/framework.ts'
import type { ScoreTable } from '../cycle/placement.ts'
import type { Evidence } from '../framework/evidence.ts'
import type { PluginScores } from '../framework/framework.ts'
import { messageOfStatus } from '../framework/status.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import type { SnapshotView } from '../snapshot/snapshot.ts'
import type { AttemptRecord } from './attempt-ledger.ts'

export interface Explanation {
  /** "namespace/name". */
  readonly pod: string
  /** Null: the pod was not tried yet. */
  readonly lastAttempt: AttemptRecord | null
  readonly nodes: readonly NodeExplanation[]
  /** Of the nodes that fit; null where none does. */
  readonly scores: ScoreTable | null
  /** Why nodes need not be looked at one by one: a fault, or a refusal of all of them; "" where they were. */
  readonly message: string
}

export interface NodeExplanation {
  readonly node: string
  readonly fits: boolean
  readonly filters: readonly FilterVerdict[]
}

export interface FilterVerdict {
  readonly plugin: string
  /** `skipped`: the pod asks for nothing that the filter looks at. */
  readonly verdict: 'passed' | 'skipped' | 'refused' | 'failed'
  /** Whether taking other pods away may help. */
  readonly resolvable: boolean
  readonly reasons: readonly string[]
  readonly evidence: readonly Evidence[]
}

/** Nodes come in the order of how few filters refuse them: the first is nearest to taking the pod. Changes nothing. */
export function explainPod(
  framework: Framework,
  snapshot: SnapshotView,
  pod: PodInfo,
  lastAttempt: AttemptRecord | null = null,
): Explanation {
  const attempt = framework.begin(snapshot)
  const held = framework.preEnqueue(pod)
  const { status, nodes: subset } = framework.preFilter(attempt, pod)
  const refusal = held ?? status
  const inQuestion = (name: string) => !subset || subset.has(name)
  const explained = snapshot.nodes.map((node) => ({ node, filters: status ? [] : filtersOf(framework.filterEach(attempt, pod, node)) }))
  const fits = ({ node, filters }: (typeof explained)[number]) =>
    !refusal && inQuestion(node.name) && filters.every(({ verdict }) => verdict === 'passed' || verdict === 'skipped')
  const fitting = explained.filter(fits).map(({ node }) => node)
  return {
    pod: pod.key,
    lastAttempt,
    nodes: explained
      .toSorted((a, b) => refusals(a.filters) - refusals(b.filters))
      .map((node) => ({ node: node.node.name, fits: fits(node), filters: node.filters })),
    scores: fitting.length > 0 ? scoresOf(framework, attempt, pod, fitting) : null,
    message: refusal ? messageOfStatus(refusal) : '',
  }
}

function filtersOf(verdicts: ReturnType<Framework['filterEach']>): FilterVerdict[] {
  return verdicts.map(({ plugin, skipped, status }) => ({
    plugin,
    verdict: skipped ? 'skipped' : !status ? 'passed' : status.code === 'Error' ? 'failed' : 'refused',
    resolvable: status !== null && status.code !== 'UnschedulableAndUnresolvable',
    reasons: status?.reasons ?? [],
    evidence: status?.evidence ?? [],
  }))
}

function refusals(filters: readonly FilterVerdict[]): number {
  return filters.filter(({ verdict }) => verdict === 'refused' || verdict === 'failed').length
}

function scoresOf(framework: Framework, attempt: Parameters<Framework['score']>[0], pod: PodInfo, nodes: readonly NodeInfo[]): ScoreTable {
  const plugins: PluginScores[] = []
  framework.preScore(attempt, pod, nodes)
  const totals = framework.score(attempt, pod, nodes, (scores) => plugins.push(scores))
  return { nodes: nodes.map(({ name }) => name), plugins, totals }
}
