/** Label selectors as objects hold them: checking, matching and printing. Source: apimachinery `meta/v1` and `meta/v1/validation`. */
import { forbidden, invalid, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { labelValueErrors } from '../../values/names.ts'
import type { LabelSelector, LabelSelectorRequirement } from './types.gen.ts'
import { validateLabelName, validateLabels } from './validation.ts'

type Labels = Readonly<Record<string, string>>

export function validateLabelSelector(selector: LabelSelector | undefined, field: string): FieldError[] {
  if (!selector) return []
  return [
    ...validateLabels(selector.matchLabels, `${field}.matchLabels`),
    ...(selector.matchExpressions ?? []).flatMap((requirement, i) => validateRequirement(requirement, `${field}.matchExpressions[${i}]`)),
  ]
}

function validateRequirement({ key, operator, values }: LabelSelectorRequirement, field: string): FieldError[] {
  const out: FieldError[] = []
  const count = values?.length ?? 0
  if (operator === 'In' || operator === 'NotIn') {
    if (count === 0) out.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (count > 0) out.push(forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  } else out.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'))
  out.push(...validateLabelName(key, `${field}.key`))
  values?.forEach((value, i) => out.push(...invalidEach(`${field}.values[${i}]`, value, labelValueErrors(value))))
  return out
}

/** Whether a valid selector selects these labels. None selects nothing; an empty one everything. */
export function selectorMatches(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (!selector) return false
  const of = (key: string): string | undefined => (labels && Object.hasOwn(labels, key) ? labels[key] : undefined)
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => of(key) === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values }) => requirementMatches(operator, values ?? [], of(key)))
  )
}

function requirementMatches(operator: string, values: readonly string[], value: string | undefined): boolean {
  if (operator === 'In') return value !== undefined && values.includes(value)
  if (operator === 'NotIn') return value === undefined || !values.includes(value)
  return operator === 'Exists' ? value !== undefined : value === undefined
}

export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions?.length ?? 0) === 0
}

/** As tables show it: "app=web,tier in (a,b),!x", "<none>" when it is empty, "<error>" for an unknown operator. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (isEmptySelector(selector)) return '<none>'
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  const expressions = (selector?.matchExpressions ?? []).map((requirement) => ({
    key: requirement.key,
    text: requirementText(requirement),
  }))
  if (expressions.some(({ text }) => text === '')) return '<error>'
  return [...labels, ...expressions]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(',')
}

function requirementText({ key, operator, values }: LabelSelectorRequirement): string {
  const list = [...(values ?? [])].sort().join(',')
  switch (operator) {
    case 'In':
      return `${key} in (${list})`
    case 'NotIn':
      return `${key} notin (${list})`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
    default:
      return ''
  }
}
