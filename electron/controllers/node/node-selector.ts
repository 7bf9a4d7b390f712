/** Which nodes a pod may run on by their labels and names. Source: kubernetes `component-helpers/scheduling/corev1/nodeaffinity`. */
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../api/core/v1/types.gen.ts'
import { labelRequirement, matcherOf, type LabelOperator } from '../../machinery/selector/requirement.ts'
import { selectorFromLabels } from '../../machinery/selector/label-selector.ts'

const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
}

/** By the pod's node selector and required affinity. */
export function fitsNode({ nodeSelector, affinity }: PodSpec, node: Node): boolean {
  if (!selectorFromLabels(nodeSelector).matches(node.metadata.labels)) return false
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || selectsNode(required, node)
}

/** One term must hold; one that says nothing holds for no node. */
export function selectsNode({ nodeSelectorTerms }: NodeSelector, node: Node): boolean {
  return nodeSelectorTerms.some((term) => termHolds(term, node))
}

function termHolds({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { 'metadata.name': metadata.name }
  return (
    matchExpressions.every((requirement) => holds(requirement, metadata.labels ?? {})) &&
    matchFields.every((requirement) => holds(requirement, fields))
  )
}

/** What cannot be read, which validation keeps out, holds for nothing. */
function holds({ key, operator, values }: NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const known = OPERATORS[operator]
  if (!known) return false
  try {
    return matcherOf(labelRequirement(key, known, values ?? []))(labels)
  } catch {
    return false
  }
}
