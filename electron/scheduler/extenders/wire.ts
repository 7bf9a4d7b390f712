/** What extenders answer. Their names are Go's field names, which a Go program reads in any case: so does this. */
import type { ApprovedVictims } from './extender.ts'

export interface FilterResult {
  readonly passed: ReadonlySet<string>
  /** Why not; preemption may help. */
  readonly failed: ReadonlyMap<string, string>
  /** Why not, whatever is taken away. */
  readonly unresolvable: ReadonlyMap<string, string>
}

/** Throws for what is no ExtenderFilterResult. */
export function decodeFilterResult(answer: unknown): FilterResult {
  const names = listOf(fieldOf(answer, 'NodeNames')).map(String)
  const items = listOf(fieldOf(fieldOf(answer, 'Nodes'), 'items')).map((node) => String(fieldOf(fieldOf(node, 'metadata'), 'name')))
  return {
    passed: new Set([...names, ...items]),
    failed: textsOf(fieldOf(answer, 'FailedNodes')),
    unresolvable: textsOf(fieldOf(answer, 'FailedAndUnresolvableNodes')),
  }
}

/** A HostPriorityList, as it comes. */
export function decodeScores(answer: unknown): ReadonlyMap<string, number> {
  return new Map(listOf(answer).map((entry) => [String(fieldOf(entry, 'Host')), Number(fieldOf(entry, 'Score') ?? 0)]))
}

export function decodePreemptionResult(answer: unknown): ApprovedVictims {
  const byNode = Object.entries(fieldOf(answer, 'NodeNameToMetaVictims') ?? {})
  return new Map(
    byNode.map(([node, victims]) => {
      const uids = new Set(listOf(fieldOf(victims, 'Pods')).map((pod) => String(fieldOf(pod, 'UID'))))
      return [node, { uids, violations: Number(fieldOf(victims, 'NumPDBViolations') ?? 0) }]
    }),
  )
}

/** "" where none is told. */
export function errorOf(answer: unknown): string {
  const error = Array.isArray(answer) ? undefined : fieldOf(answer, 'Error')
  return typeof error === 'string' ? error : ''
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const wanted = name.toLowerCase()
  return Object.entries(value).find(([key]) => key.toLowerCase() === wanted)?.[1] as unknown
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Error('the extender answered with something else than a list')
  return value as unknown[]
}

function textsOf(value: unknown): ReadonlyMap<string, string> {
  return new Map(Object.entries(value ?? {}).map(([node, reason]) => [node, String(reason)]))
}
