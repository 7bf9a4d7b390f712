/** Label selectors, ready to be matched. Sources: apimachinery `labels.Selector`, `meta/v1.LabelSelectorAsSelector`. */
import type { LabelSelector as LabelSelectorObject } from '../../api/meta/v1/types.gen.ts'
import { forbidden, invalid, required, type FieldError } from '../../api/values/field-error.ts'
import { badRequest } from '../status.ts'
import { parseLabelRequirements } from './label-parser.ts'
import { labelValueErrors, qualifiedName } from '../../api/values/names.ts'
import { formatRequirement, labelRequirement, matcherOf, type LabelOperator, type LabelRequirement, type Labels } from './requirement.ts'

export interface LabelSelector {
  /** All must hold. Empty with `everything` and with `nothing`. */
  readonly requirements: readonly LabelRequirement[]
  readonly everything: boolean
  readonly nothing: boolean
  /** Absent labels are no labels. */
  matches(labels: Labels | null | undefined): boolean
  /** The only value that the label may have; undefined if there may be several or none. */
  exact(key: string): string | undefined
  /** Text that parses to the same selector; "" for everything and nothing. */
  toString(): string
}

const NO_LABELS: Labels = Object.freeze({})

export const EVERYTHING: LabelSelector = build([], false)
export const NOTHING: LabelSelector = build([], true)

/** Parses a query's `labelSelector`. Throws StatusError `BadRequest`. */
export function parseLabelSelector(text: string): LabelSelector {
  return selectorOf(parseLabelRequirements(text))
}

export function selectorOf(requirements: readonly LabelRequirement[]): LabelSelector {
  return requirements.length === 0 ? EVERYTHING : build(requirements, false)
}

/** Matches objects that have all these labels; none: everything. Not validated. */
export function selectorFromLabels(labels: Labels | null | undefined): LabelSelector {
  const pairs = Object.entries(labels ?? NO_LABELS).sort(([a], [b]) => (a < b ? -1 : 1))
  return selectorOf(pairs.map(([key, value]) => ({ key, operator: '=', values: [value] })))
}

const OPERATORS: Readonly<Record<string, LabelOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

/** From the API's object form; absent selects nothing, empty selects everything. Throws StatusError `BadRequest`. */
export function selectorFromObject(selector: Readonly<Partial<LabelSelectorObject>> | null | undefined): LabelSelector {
  if (selector == null) return NOTHING
  const requirements = Object.entries(selector.matchLabels ?? NO_LABELS).map(([key, value]) => labelRequirement(key, '=', [value]))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OPERATORS[operator]
    if (!known) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`)
    requirements.push(labelRequirement(key, known, values ?? []))
  }
  return selectorOf(requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)))
}

/** What validation of an object says of a LabelSelector in it. Source: apimachinery `meta/v1/validation`. */
export function validateLabelSelector(selector: Readonly<Partial<LabelSelectorObject>> | null | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(selector?.matchLabels ?? NO_LABELS)) {
    for (const fault of qualifiedName(key)) errors.push(invalid(`${path}.matchLabels`, key, fault))
    for (const fault of labelValueErrors(value)) errors.push(invalid(`${path}.matchLabels`, value, fault))
  }
  for (const [i, { key, operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${i}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'))
    for (const fault of qualifiedName(key)) errors.push(invalid(`${at}.key`, key, fault))
    for (const [j, value] of values.entries())
      for (const fault of labelValueErrors(value)) errors.push(invalid(`${at}.values[${j}]`, value, fault))
  }
  return errors
}

function build(requirements: readonly LabelRequirement[], nothing: boolean): LabelSelector {
  const matches = nothing ? () => false : conjunction(requirements.map(matcherOf))
  return Object.freeze({
    requirements,
    everything: !nothing && requirements.length === 0,
    nothing,
    matches: (labels: Labels | null | undefined) => matches(labels ?? NO_LABELS),
    exact(key: string) {
      const found = requirements.find((requirement) => requirement.key === key)
      if (!found || found.values.length !== 1) return undefined
      return found.operator === '=' || found.operator === '==' || found.operator === 'in' ? found.values[0] : undefined
    },
    toString: () => requirements.map(formatRequirement).join(','),
  })
}

function conjunction(tests: readonly ((labels: Labels) => boolean)[]): (labels: Labels) => boolean {
  const [first, second] = tests
  if (!first) return () => true
  if (!second) return first
  if (tests.length === 2) return (labels) => first(labels) && second(labels)
  return (labels) => {
    for (const test of tests) if (!test(labels)) return false
    return true
  }
}
