/** Checks of taints and tolerations. Source: kubernetes `core/validation`. */
import { validateLabelName } from '../../../meta/v1/validation.ts'
import { semanticEqual } from '../../../values/equal.ts'
import { duplicate, forbidden, invalid, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { labelValueErrors } from '../../../values/names.ts'
import type { Taint, Toleration } from '../types.gen.ts'

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function validateTolerations(tolerations: readonly Toleration[], field: string): FieldError[] {
  return tolerations.flatMap(({ key, operator = '', value = '', effect, tolerationSeconds }, i) => {
    const at = `${field}[${i}]`
    const out = key ? validateLabelName(key, `${at}.key`) : []
    if (!key && operator !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      out.push(invalid(`${at}.operator`, operator, why))
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      out.push(invalid(`${at}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    }
    out.push(...validateOperator(operator, value, `${at}.operator`))
    if (effect && !EFFECTS.includes(effect)) out.push(notSupported(`${at}.effect`, effect, EFFECTS))
    return out
  })
}

/** `Lt` and `Gt` are behind a gate that is off in 1.36 (KEP-5471). */
function validateOperator(operator: string, value: string, field: string): FieldError[] {
  switch (operator) {
    case '':
    case 'Equal': {
      const faults = labelValueErrors(value)
      return faults.length ? [invalid(field, value, faults.join(';'))] : []
    }
    case 'Exists':
      return value ? [invalid(field, value, "value must be empty when `operator` is 'Exists'")] : []
    case 'Lt':
    case 'Gt':
      return [notSupported(field, operator, ['Equal', 'Exists', 'Lt', 'Gt'])]
    default:
      return [notSupported(field, operator, ['Equal', 'Exists'])]
  }
}

/** Those of a pod may get more, and their seconds may change; nothing else. */
export function validateOnlyAddedTolerations(tolerations: readonly Toleration[], old: readonly Toleration[], field: string): FieldError[] {
  const kept = old.every((before) =>
    tolerations.some((now) => semanticEqual({ ...before, tolerationSeconds: null }, { ...now, tolerationSeconds: null })),
  )
  if (!kept) return [forbidden(field, 'existing toleration can not be modified except its tolerationSeconds')]
  return validateTolerations(tolerations, field)
}

export function validateTaints(taints: readonly Taint[], field: string): FieldError[] {
  const seen = new Set<string>()
  return taints.flatMap((taint, i) => {
    const at = `${field}[${i}]`
    const { key, value = '', effect } = taint
    const out = validateLabelName(key, `${at}.key`)
    const faults = labelValueErrors(value)
    if (faults.length) out.push(invalid(`${at}.value`, value, faults.join(';')))
    if (!effect) out.push(required(`${at}.effect`))
    else if (!EFFECTS.includes(effect)) out.push(notSupported(`${at}.effect`, effect, EFFECTS))
    if (seen.has(`${effect} ${key}`)) out.push(duplicate(at, taint, 'taints must be unique by key and effect pair'))
    seen.add(`${effect} ${key}`)
    return out
  })
}
