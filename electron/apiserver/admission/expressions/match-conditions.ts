/** Conditions that a request must meet for a webhook or policy to be asked. Source: apiserver `webhook/matchconditions`. */
import type { MatchCondition } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import type { Bindings } from '../../../machinery/cel/frame.ts'
import { Budget } from '../../../machinery/cel/program.ts'
import { BOOL } from '../../../machinery/cel/types.ts'
import { compileExpression, CONDITIONS_BUDGET, environmentOf, evaluate, type Expression, OutOfBudget } from './expression.ts'

export type Conditions = readonly Expression[]

/** Why it is not known whether the conditions are met, where that is not to be ignored. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError'
}

/** Of webhooks, where there are no parameters. */
export const WEBHOOK_CONDITIONS = () => environmentOf({ hasParams: false, hasAuthorizer: true })

export function compileConditions(conditions: readonly MatchCondition[] | undefined, environment: Environment): Conditions {
  return (conditions ?? []).map(({ expression }) => compileExpression(expression.trim(), environment, [BOOL]))
}

/** One that is not met is enough, whatever is wrong with others. Throws ConditionError unless failures are ignored: then nothing is met. */
export async function meetsConditions(
  conditions: Conditions,
  bindings: () => Bindings | Promise<Bindings>,
  failurePolicy: string | undefined,
): Promise<boolean> {
  if (conditions.length === 0) return true
  const budget = new Budget(CONDITIONS_BUDGET)
  const errors: string[] = []
  const seen = await bindings()
  try {
    for (const condition of conditions) {
      const { value, error } = await evaluate(condition, seen, budget)
      if (error !== undefined) errors.push(error)
      else if (value === false) return false
    }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error
    errors.splice(0, errors.length, error.message)
  }
  if (errors.length === 0) return true
  if (failurePolicy === 'Ignore') return false
  throw new ConditionError(errors.length === 1 ? errors[0] : `[${[...new Set(errors)].join(', ')}]`)
}
