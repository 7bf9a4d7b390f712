/** An explanation as the API shows it (`infra.flotilla.dev/v1alpha1` PlacementReview). */
import type {
  AttemptedNode,
  FilterVerdict as ShownVerdict,
  NodePlacement,
  PlacementAttempt,
  PlacementReviewStatus,
  PluginScore,
} from '../../api/infra/v1alpha1/placement.ts'
import { formatTime } from '../../api/values/time.ts'
import type { ScoreTable } from '../cycle/placement.ts'
import type { AttemptRecord, Verdict } from './attempt-ledger.ts'
import type { Explanation, FilterVerdict } from './explain.ts'

const OUTCOMES = { refused: 'Refused', 'held back': 'HeldBack', placed: 'Placed', failed: 'Failed' } as const
const VERDICTS = { passed: 'Passed', skipped: 'Skipped', refused: 'Refused', failed: 'Failed' } as const

/** `limit`: so many nodes at most, of now and of the last attempt each. */
export function placementStatus({ lastAttempt, nodes, scores, message }: Explanation, limit: number): PlacementReviewStatus {
  const given = scoresByNode(scores)
  // Nodes that fit stand first as they come; the best of them is the likeliest.
  const best = nodes.toSorted(
    (a, b) => Number(b.fits) - Number(a.fits) || (given.get(b.node)?.total ?? 0) - (given.get(a.node)?.total ?? 0),
  )
  return {
    ...(message ? { message } : {}),
    ...(lastAttempt ? { lastAttempt: attemptOf(lastAttempt, limit) } : {}),
    nodes: best
      .slice(0, limit)
      .map(({ node, fits, filters }): NodePlacement => ({ name: node, fits, filters: filters.map(verdictOf), ...given.get(node) })),
    totalNodes: nodes.length,
  }
}

function attemptOf({ outcome, at, attempt, message, node, verdicts, scores }: AttemptRecord, limit: number): PlacementAttempt {
  const refused = (verdicts ?? []).map(({ node: name, ...verdict }): AttemptedNode => ({
    ...(name ? { name } : {}),
    refusal: refusalOf(verdict),
  }))
  const scored = [...scoresByNode(scores)].map(([name, given]): AttemptedNode => ({ name, ...given }))
  const nodes = [...scored, ...refused].slice(0, limit)
  return {
    ...{ outcome: OUTCOMES[outcome], time: formatTime(at), attempt },
    ...(message ? { message } : {}),
    ...(node ? { nodeName: node } : {}),
    ...(nodes.length > 0 ? { nodes } : {}),
  }
}

function scoresByNode(table: ScoreTable | null): Map<string, { scores: PluginScore[]; total: number }> {
  const entries = (table?.nodes ?? []).map((name, i) => {
    const scores = (table?.plugins ?? []).map(({ plugin, weight, scores: each }): PluginScore => ({ plugin, weight, score: each[i] ?? 0 }))
    return [name, { scores, total: table?.totals[i] ?? 0 }] as const
  })
  return new Map(entries)
}

function verdictOf({ plugin, verdict, resolvable, reasons, evidence }: FilterVerdict): ShownVerdict {
  if (verdict === 'passed' || verdict === 'skipped') return { plugin, verdict: VERDICTS[verdict] }
  return {
    plugin,
    verdict: VERDICTS[verdict],
    resolvable,
    reasons: [...reasons],
    ...(evidence.length > 0 ? { evidence: [...evidence] } : {}),
  }
}

function refusalOf({ plugin, resolvable, reasons, evidence }: Omit<Verdict, 'node'>): ShownVerdict {
  return verdictOf({ plugin, verdict: 'refused', resolvable, reasons, evidence })
}
