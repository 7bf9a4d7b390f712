/** What selects what, straight from the API's documentation. */
import type { NodeSelectorTerm, Node, Pod, Taint } from '../../../../electron/api/core/v1/types.gen.ts'
import type { LabelSelector } from '../../../../electron/api/meta/v1/types.gen.ts'
import { labelsOf, type Labels } from './cluster.ts'

type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }

function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      throw new Error(operator)
  }
}

/** No selector selects nothing; an empty one everything. */
export function selects(selector: Readonly<Partial<LabelSelector>> | undefined, labels: Labels): boolean {
  if (!selector) return false
  const pairs = Object.entries(selector.matchLabels ?? {})
  return pairs.every(([key, value]) => labels[key] === value) && (selector.matchExpressions ?? []).every((each) => holds(each, labels))
}

/** The pod's own values of these keys must be had, or must not be. Keys that the pod lacks say nothing. */
export function sameValues(keys: readonly string[] | undefined, own: Labels, other: Labels): boolean {
  return (keys ?? []).every((key) => own[key] === undefined || own[key] === other[key])
}

export function otherValues(keys: readonly string[] | undefined, own: Labels, other: Labels): boolean {
  return (keys ?? []).every((key) => own[key] === undefined || own[key] !== other[key])
}

/** A term that asks for nothing selects no node. */
export function termSelects({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { 'metadata.name': node.metadata.name }
  return matchExpressions.every((each) => holds(each, labelsOf(node))) && matchFields.every((each) => holds(each, fields))
}

/** `nodeSelector` and required node affinity. */
export function asksFor({ spec }: Pod, node: Node): boolean {
  const labels = labelsOf(node)
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || required.nodeSelectorTerms.some((term) => termSelects(term, node))
}

export function bears({ spec }: Pod, taint: Taint): boolean {
  return (spec.tolerations ?? []).some(({ key, operator = 'Equal', value = '', effect }) => {
    if (effect && effect !== taint.effect) return false
    if (key && key !== taint.key) return false
    return operator === 'Exists' || value === (taint.value ?? '')
  })
}

export const isHard = ({ effect }: Taint) => effect !== 'PreferNoSchedule'
export const bearsHardTaints = (pod: Pod, node: Node) => (node.spec.taints ?? []).filter(isHard).every((taint) => bears(pod, taint))
