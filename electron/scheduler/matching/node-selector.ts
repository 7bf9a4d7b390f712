/** Which nodes a pod asks for by labels and names. Source: component-helpers `scheduling/corev1/nodeaffinity`. */
import type {
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  PodSpec,
  PreferredSchedulingTerm,
} from '../../api/core/v1/types.gen.ts'
import { matcherOf, type LabelOperator } from '../../machinery/selector/requirement.ts'
import type { Evidence, Requirement } from '../framework/evidence.ts'

/** As much of a node as can be asked for. */
export interface SelectableNode {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export const NAME_FIELD = 'metadata.name'

type Test = (node: SelectableNode) => boolean

interface Term {
  /** With what each stands for. */
  readonly tests: readonly { readonly matches: Test; readonly requirement: Requirement }[]
}

const OPERATORS: Readonly<Record<NodeSelectorRequirement['operator'], LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
}

/** One term must hold, and of it everything. A term that asks for nothing holds nowhere. */
export class NodeTerms {
  readonly #terms: readonly Term[]

  constructor({ nodeSelectorTerms }: NodeSelector) {
    this.#terms = nodeSelectorTerms.map(compile)
  }

  matches(node: SelectableNode): boolean {
    return this.#terms.some((term) => holds(term, node))
  }

  /** For each term the first thing that is not so. */
  unmet(node: SelectableNode): Requirement[] {
    return this.#terms.flatMap(({ tests }) => tests.find(({ matches }) => !matches(node))?.requirement ?? [])
  }
}

/** `spec.nodeSelector` and the required node affinity together. */
export class RequiredNodes {
  readonly #labels: readonly (readonly [string, string])[]
  readonly #terms: NodeTerms | null

  constructor({ nodeSelector, affinity }: PodSpec) {
    const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    this.#labels = Object.entries(nodeSelector ?? {})
    this.#terms = required ? new NodeTerms(required) : null
  }

  /** Whether every node will do. */
  get none(): boolean {
    return this.#labels.length === 0 && !this.#terms
  }

  matches(node: SelectableNode): boolean {
    for (const [key, value] of this.#labels) if (node.labels[key] !== value) return false
    return this.#terms?.matches(node) ?? true
  }

  evidence(node: SelectableNode): Evidence[] {
    const missing = this.#labels.filter(([key, value]) => node.labels[key] !== value)
    const out: Evidence[] = missing.length ? [{ type: 'nodeSelector', missing: Object.fromEntries(missing) }] : []
    if (this.#terms && !this.#terms.matches(node)) out.push({ type: 'nodeAffinity', unmet: this.#terms.unmet(node) })
    return out
  }
}

export function requiredNodes({ spec }: Pod): RequiredNodes {
  return new RequiredNodes(spec)
}

/** Sums the weights of the terms that hold. Terms of no weight, and those that ask for nothing, count nothing. */
export class PreferredNodes {
  readonly #terms: readonly { readonly term: Term; readonly weight: number }[]

  constructor(terms: readonly PreferredSchedulingTerm[]) {
    this.#terms = terms
      .map(({ preference, weight }) => ({ term: compile(preference), weight }))
      .filter(({ term, weight }) => weight !== 0 && term.tests.length > 0)
  }

  score(node: SelectableNode): number {
    let sum = 0
    for (const { term, weight } of this.#terms) if (holds(term, node)) sum += weight
    return sum
  }
}

function holds({ tests }: Term, node: SelectableNode): boolean {
  if (tests.length === 0) return false
  for (const { matches } of tests) if (!matches(node)) return false
  return true
}

function compile({ matchExpressions, matchFields }: NodeSelectorTerm): Term {
  return {
    tests: [
      ...(matchExpressions ?? []).map((expression) => ({ matches: labelTest(expression), requirement: shown(expression) })),
      ...(matchFields ?? []).map((expression) => ({ matches: fieldTest(expression), requirement: shown(expression) })),
    ],
  }
}

function labelTest({ key, operator, values = [] }: NodeSelectorRequirement): Test {
  const test = matcherOf({ key, operator: OPERATORS[operator], values })
  return ({ labels }) => test(labels)
}

/** The name is the only field there is. */
function fieldTest({ key, operator, values = [] }: NodeSelectorRequirement): Test {
  if (key !== NAME_FIELD) return () => false
  if (operator === 'In') return ({ name }) => values.includes(name)
  if (operator === 'NotIn') return ({ name }) => !values.includes(name)
  return () => false
}

function shown({ key, operator, values = [] }: NodeSelectorRequirement): Requirement {
  return { key, operator, values }
}
