/** One policy evaluated on one request with one set of parameters. Source: apiserver `admission/plugin/policy/validating/validator.go`. */
import type { ValidatingAdmissionPolicySpec } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { Bindings } from '../../../machinery/cel/frame.ts'
import { Budget } from '../../../machinery/cel/program.ts'
import { byteLength } from '../../../api/values/names.ts'
import { LazyVariables } from '../expressions/bindings.ts'
import { evaluate, OutOfBudget, POLICY_BUDGET, type Result } from '../expressions/expression.ts'
import { ConditionError, meetsConditions } from '../expressions/match-conditions.ts'
import type { CompiledValidating } from './compile-validating.ts'

export interface Denial {
  readonly message: string
  /** Of the response; Invalid if the policy does not say. */
  readonly reason: string
  /** Which validation it was. */
  readonly index: number
}

export interface Judgement {
  readonly denials: readonly Denial[]
  /** What failed that always denies, whatever the binding's actions are. */
  readonly failures: readonly Denial[]
  readonly annotations: readonly (readonly [key: string, value: string])[]
}

const NOTHING: Judgement = { denials: [], failures: [], annotations: [] }
const INVALID = 'Invalid'
const LONGEST_MESSAGE = 5 * 1024

export async function judge(spec: ValidatingAdmissionPolicySpec, compiled: CompiledValidating, seen: Bindings): Promise<Judgement> {
  const failed = (message: string): Judgement =>
    spec.failurePolicy === 'Ignore' ? NOTHING : { ...NOTHING, denials: [{ message, reason: INVALID, index: 0 }] }
  try {
    if (!(await meetsConditions(compiled.conditions, () => seen, spec.failurePolicy))) return NOTHING
    const budget = new Budget(POLICY_BUDGET)
    const bindings = { ...seen, variables: new LazyVariables(compiled.variables, seen, budget) }
    const denials = await denialsOf(spec, compiled, bindings, budget)
    const { annotations, failures } = await annotationsOf(spec, compiled, seen)
    return { denials, failures, annotations }
  } catch (error) {
    if (error instanceof ConditionError || error instanceof OutOfBudget) return failed(error.message)
    throw error
  }
}

async function denialsOf(
  { validations = [], failurePolicy }: ValidatingAdmissionPolicySpec,
  compiled: CompiledValidating,
  bindings: Bindings,
  budget: Budget,
): Promise<Denial[]> {
  const denials: Denial[] = []
  for (const [index, validation] of validations.entries()) {
    const own = compiled.validations[index]
    if (!own) continue
    const { value, error } = await evaluate(own.rule, bindings, budget)
    if (value === true) continue
    if (error !== undefined) {
      if (failurePolicy !== 'Ignore') denials.push({ message: error, reason: INVALID, index })
      continue
    }
    const said = own.message ? spoken(await evaluate(own.message, bindings, budget)) : ''
    const message = said || validation.message?.trim() || `failed expression: ${validation.expression.trim()}`
    denials.push({ message, reason: validation.reason ?? INVALID, index })
  }
  return denials
}

/** What an expression made up as a message; "" if it is none that can be shown. */
function spoken({ value }: Result): string {
  const text = typeof value === 'string' ? value.trim() : ''
  return byteLength(text) > LONGEST_MESSAGE || text.includes('\n') ? '' : text
}

async function annotationsOf(
  { auditAnnotations = [], failurePolicy }: ValidatingAdmissionPolicySpec,
  compiled: CompiledValidating,
  seen: Bindings,
) {
  const budget = new Budget(POLICY_BUDGET)
  const bindings = { ...seen, variables: new LazyVariables(compiled.variables, seen, budget) }
  const annotations: [string, string][] = []
  const failures: Denial[] = []
  for (const [index, { key }] of auditAnnotations.entries()) {
    const expression = compiled.annotations[index]
    if (!expression) continue
    const { value, error } = await evaluate(expression, bindings, budget)
    if (error !== undefined) {
      if (failurePolicy !== 'Ignore') failures.push({ message: error, reason: INVALID, index })
    } else if (typeof value === 'string' && value.trim() !== '') annotations.push([key, value.trim()])
  }
  return { annotations, failures }
}
