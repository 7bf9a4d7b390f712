/** One condition on an object's labels. Source: apimachinery `labels.Requirement`. */
import { invalid, type FieldError } from '../../api/values/field-error.ts'
import { badRequest } from '../status.ts'
import { labelValueErrors, qualifiedName } from '../../api/values/names.ts'

export type Labels = Readonly<Record<string, string>>

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  /** Without duplicates, sorted where they came from text. */
  readonly values: readonly string[]
}

/** Throws StatusError `BadRequest` that lists every fault, as upstream's `labels.NewRequirement`. */
export function labelRequirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const faults: FieldError[] = []
  const keyFaults = qualifiedName(key)
  if (keyFaults.length) faults.push(invalid('key', key, keyFaults.join('; ')))
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) faults.push(invalid('values', values, "for 'in', 'notin' operators, values set can't be empty"))
      break
    case '=':
    case '==':
    case '!=':
      if (values.length !== 1) faults.push(invalid('values', values, 'exact-match compatibility requires one single value'))
      break
    case 'exists':
    case '!':
      if (values.length !== 0) faults.push(invalid('values', values, 'values set must be empty for exists and does not exist'))
      break
    case 'gt':
    case 'lt':
      if (values.length !== 1) faults.push(invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required"))
      for (const [i, value] of values.entries())
        if (parseInt64(value) === null)
          faults.push(invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"))
      break
  }
  for (const [i, value] of values.entries()) {
    const valueFaults = labelValueErrors(value)
    if (valueFaults.length) faults.push(invalid(`values[${i}][${key}]`, value, valueFaults.join('; ')))
  }
  if (faults.length) throw badRequest(aggregate(faults))
  return { key, operator, values }
}

/** A function that tells whether labels satisfy the requirement. */
export function matcherOf({ key, operator, values }: LabelRequirement): (labels: Labels) => boolean {
  const [first = ''] = values
  switch (operator) {
    case '=':
    case '==':
      return (labels) => valueOf(labels, key) === first
    case '!=':
      return (labels) => valueOf(labels, key) !== first
    case 'in': {
      if (values.length === 1) return (labels) => valueOf(labels, key) === first
      const set = new Set<string | undefined>(values)
      return (labels) => set.has(valueOf(labels, key))
    }
    case 'notin': {
      if (values.length === 1) return (labels) => valueOf(labels, key) !== first
      const set = new Set<string | undefined>(values)
      return (labels) => !set.has(valueOf(labels, key))
    }
    case 'exists':
      return (labels) => valueOf(labels, key) !== undefined
    case '!':
      return (labels) => valueOf(labels, key) === undefined
    case 'gt':
    case 'lt': {
      const bound = parseInt64(first)
      return (labels) => {
        const value = parseInt64(valueOf(labels, key) ?? '')
        if (value === null || bound === null) return false
        return operator === 'gt' ? value > bound : value < bound
      }
    }
  }
}

/** The requirement as text that parses to the same. */
export function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort().join(',')})`
    case 'gt':
      return `${key}>${values.join(',')}`
    case 'lt':
      return `${key}<${values.join(',')}`
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${values.join(',')}`
  }
}

/** Own properties only: no label is there because `Object.prototype` has something of that name. */
function valueOf(labels: Labels, key: string): string | undefined {
  const value = labels[key]
  return value === undefined || typeof value === 'string' ? value : undefined
}

function aggregate(faults: readonly FieldError[]): string {
  const lines = [...new Set(faults.map((fault) => `${fault.field}: ${fault.message}`))]
  return lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`
}

const MAX_INT64 = 9223372036854775807n

function parseInt64(text: string): bigint | null {
  if (!/^[+-]?[0-9]+$/.test(text)) return null
  const value = BigInt(text.replace(/^\+/, ''))
  return value > MAX_INT64 || value < -MAX_INT64 - 1n ? null : value
}
