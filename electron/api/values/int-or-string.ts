/** Numbers that may also be written as a percentage or a name (apimachinery `util/intstr`). */
import type { IntOrString } from '../meta/v1/object.ts'
import { invalid, invalidEach, type FieldError } from './field-error.ts'
import { percentErrors, portName, portNumber } from './names.ts'

/** 25 for "25%"; null for numbers and other strings. */
export function percentOf(value: IntOrString): number | null {
  const match = typeof value === 'string' ? /^(-?[0-9]+)%$/.exec(value) : null
  return match ? Number(match[1]) : null
}

/**
 * A number as it is, a percentage of `total` rounded up or down. Null for strings that are no percentage.
 * `scaledValue('25%', 10, 'up')` is 3.
 */
export function scaledIntOrPercent(value: IntOrString, total: number, round: 'up' | 'down'): number | null {
  if (typeof value === 'number') return value
  const percent = percentOf(value)
  if (percent === null) return null
  return round === 'up' ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100)
}

/** The number that it is or that its text spells; 0 for other text, as Kubernetes' `IntValue`. */
export function intValue(value: IntOrString): number {
  if (typeof value === 'number') return value
  return /^[-+]?[0-9]+$/.test(value) ? Number(value) : 0
}

export function portNumberOrName(field: string, port: IntOrString): FieldError[] {
  return typeof port === 'number' ? invalidEach(field, port, portNumber(port)) : invalidEach(field, port, portName(port))
}

/** Not negative, or a percentage. */
export function nonNegativeIntOrPercent(field: string, value: IntOrString): FieldError[] {
  if (typeof value === 'number') return value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : []
  return invalidEach(field, value, percentErrors(value))
}

/** Percentages above 100. */
export function notMoreThan100Percent(field: string, value: IntOrString): FieldError[] {
  const percent = percentOf(value)
  return percent !== null && percent > 100 ? [invalid(field, value, 'must not be greater than 100%')] : []
}
