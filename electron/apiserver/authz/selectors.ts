/** Selectors between the text of a query and the requirements of access reviews. Source: KEP-4601. */
import type { FieldSelectorAttributes, LabelSelectorAttributes } from '../../api/authorization/v1/types.gen.ts'
import type { FieldSelectorRequirement, LabelSelectorRequirement } from '../../api/meta/v1/types.gen.ts'
import { escapeFieldValue, parseFieldRequirements } from '../../machinery/selector/field-selector.ts'
import { parseLabelRequirements } from '../../machinery/selector/label-parser.ts'
import type { LabelOperator } from '../../machinery/selector/requirement.ts'

/** Requirements with one value are the only ones that a field selector's text can say; leaving others out asks for more, never for less. */
export function fieldSelectorText(selector: FieldSelectorAttributes | undefined): string {
  if (selector?.rawSelector) return selector.rawSelector
  return (selector?.requirements ?? [])
    .flatMap(({ key, operator, values = [] }) => {
      const equality = operator === 'In' ? '=' : operator === 'NotIn' ? '!=' : ''
      return equality && values.length === 1 ? [`${key}${equality}${escapeFieldValue(values[0] ?? '')}`] : []
    })
    .join(',')
}

export function labelSelectorText(selector: LabelSelectorAttributes | undefined): string {
  if (selector?.rawSelector) return selector.rawSelector
  return (selector?.requirements ?? [])
    .flatMap(({ key, operator, values = [] }) => {
      if (operator === 'Exists') return [key]
      if (operator === 'DoesNotExist') return [`!${key}`]
      const word = operator === 'In' ? 'in' : operator === 'NotIn' ? 'notin' : ''
      return word ? [`${key} ${word} (${values.join(',')})`] : []
    })
    .join(',')
}

/** Empty if the text cannot be read: selectors only narrow what is asked for. */
export function fieldRequirements(text: string): FieldSelectorRequirement[] {
  if (text === '') return []
  try {
    return parseFieldRequirements(text).map(({ field, operator, value }) => ({
      key: field,
      operator: operator === '=' ? 'In' : 'NotIn',
      values: [value],
    }))
  } catch {
    return []
  }
}

const LABEL_OPERATORS: Readonly<Partial<Record<LabelOperator, string>>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
}

export function labelRequirements(text: string): LabelSelectorRequirement[] {
  if (text === '') return []
  try {
    return parseLabelRequirements(text).flatMap(({ key, operator, values }) => {
      const word = LABEL_OPERATORS[operator]
      return word ? [{ key, operator: word, ...(values.length > 0 ? { values: [...values] } : {}) }] : []
    })
  } catch {
    return []
  }
}
