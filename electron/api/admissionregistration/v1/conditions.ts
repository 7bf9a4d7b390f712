/** Named CEL expressions, as far as they can be judged without compiling them. Source: kubernetes `apis/admissionregistration/validation`. */
import { duplicate, invalidEach, required, tooMany, type FieldError } from '../../values/field-error.ts'
import { qualifiedName } from '../../values/names.ts'
import type { MatchCondition } from './types.gen.ts'

const MAX_CONDITIONS = 64

export function validateMatchConditions(conditions: readonly MatchCondition[] | undefined, field: string): FieldError[] {
  const out: FieldError[] = []
  const names = new Set<string>()
  if ((conditions?.length ?? 0) > MAX_CONDITIONS) out.push(tooMany(field, conditions?.length ?? 0, MAX_CONDITIONS))
  conditions?.forEach(({ name, expression }, i) => {
    const at = `${field}[${i}]`
    out.push(...validateExpression(expression, `${at}.expression`))
    if (name === '') out.push(required(`${at}.name`))
    else out.push(...invalidEach(`${at}.name`, name, qualifiedName(name)))
    if (name !== '' && names.has(name)) out.push(duplicate(`${at}.name`, name))
    names.add(name)
  })
  return out
}

export function validateExpression(expression: string | undefined, field: string): FieldError[] {
  return (expression ?? '').trim() === '' ? [required(field)] : []
}
