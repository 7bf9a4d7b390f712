/** How fast a HorizontalPodAutoscaler may act. Source: kubernetes `apis/autoscaling/v2/defaults.go` and `apis/autoscaling/validation`. */
import { invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { tryQuantity, toMilli } from '../../values/quantity.ts'
import type { HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules } from './types.gen.ts'

const SELECTIONS = ['Disabled', 'Max', 'Min']
const POLICIES = ['Percent', 'Pods']
const MAX_WINDOW = 3600
const MAX_PERIOD = 1800
const PERIOD = 15

export function defaultBehavior(behavior: HorizontalPodAutoscalerBehavior | undefined): void {
  if (!behavior) return
  behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: PERIOD },
      { type: 'Percent', value: 100, periodSeconds: PERIOD },
    ],
    ...behavior.scaleUp,
  }
  behavior.scaleDown = {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: PERIOD }],
    ...behavior.scaleDown,
  }
}

export function validateBehavior(behavior: HorizontalPodAutoscalerBehavior | undefined, field: string): FieldError[] {
  return [...validateRules(behavior?.scaleUp, `${field}.scaleUp`), ...validateRules(behavior?.scaleDown, `${field}.scaleDown`)]
}

function validateRules(rules: HPAScalingRules | undefined, field: string): FieldError[] {
  if (!rules) return []
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies = [], tolerance } = rules
  const at = `${field}.stabilizationWindowSeconds`
  const out: FieldError[] = []
  if (window < 0) out.push(invalid(at, window, 'must be greater than or equal to zero'))
  if (window > MAX_WINDOW) out.push(invalid(at, window, `must be less than or equal to ${MAX_WINDOW}`))
  if (selectPolicy !== undefined && !SELECTIONS.includes(selectPolicy))
    out.push(notSupported(`${field}.selectPolicy`, selectPolicy, SELECTIONS))
  if (policies.length === 0) out.push(required(`${field}.policies`, 'must specify at least one Policy'))
  policies.forEach((policy, i) => out.push(...validatePolicy(policy, `${field}.policies[${i}]`)))
  const parsed = tolerance === undefined ? null : tryQuantity(tolerance)
  if (parsed && toMilli(parsed) < 0) out.push(invalid(`${field}.tolerance`, tolerance, 'must be greater than or equal to 0'))
  return out
}

function validatePolicy({ type, value, periodSeconds }: HPAScalingPolicy, field: string): FieldError[] {
  const out: FieldError[] = POLICIES.includes(type) ? [] : [notSupported(`${field}.type`, type, POLICIES)]
  if (value <= 0) out.push(invalid(`${field}.value`, value, 'must be greater than zero'))
  if (periodSeconds <= 0) out.push(invalid(`${field}.periodSeconds`, periodSeconds, 'must be greater than zero'))
  if (periodSeconds > MAX_PERIOD) out.push(invalid(`${field}.periodSeconds`, periodSeconds, `must be less than or equal to ${MAX_PERIOD}`))
  return out
}
