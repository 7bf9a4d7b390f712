/** Expressions of policies and match conditions, compiled and evaluated with the words of upstream. Source: apiserver `admission/plugin/cel`. */
import { BudgetError, CelError } from '../../../machinery/cel/errors.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import type { Bindings } from '../../../machinery/cel/frame.ts'
import { JSON_PATCH, kubernetesEnvironment } from '../../../machinery/cel/library/kubernetes/kubernetes.ts'
import { type Budget, evaluateWhenReady, type Program } from '../../../machinery/cel/program.ts'
import { formatType, objectType, sameType, type CelType } from '../../../machinery/cel/types.ts'
import type { Value } from '../../../machinery/cel/values.ts'
import { admissionVariables, type Declared } from './admission-types.ts'
import { patchTypes } from './patch-types.ts'

export interface Expression {
  readonly source: string
  /** Null if it does not compile; then `error` says why. */
  readonly program: Program | null
  readonly error: string
}

/** A result of one of several expressions: a value, or why there is none. */
export type Result = { readonly value: Value; readonly error?: undefined } | { readonly error: string; readonly value?: undefined }

/** What one request may cost by all expressions of a policy, and by match conditions. */
export const POLICY_BUDGET = 10_000_000
export const CONDITIONS_BUDGET = 2_500_000

export class OutOfBudget extends Error {
  override readonly name = 'OutOfBudget'
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

const BASE = kubernetesEnvironment()
const PATCHES = kubernetesEnvironment(JSON_PATCH)
const environments = new Map<string, Environment>()

export function environmentOf(declared: Declared, patches = false): Environment {
  const key = `${declared.hasParams} ${declared.hasAuthorizer} ${patches}`
  let environment = environments.get(key)
  if (!environment) {
    environment = (patches ? PATCHES : BASE).extend({ variables: admissionVariables(declared) })
    environments.set(key, environment)
  }
  return environment
}

/** With what a policy's variables are called and what they are. */
export function withVariables(environment: Environment, variables: ReadonlyMap<string, CelType>): Environment {
  const type = objectType('kubernetes.variables', (property) => {
    const own = variables.get(property)
    return own && { type: own, property }
  })
  return environment.extend({ variables: { variables: type } })
}

/** `wanted`: what it may evaluate to; null: anything. */
export function compileExpression(source: string, environment: Environment, wanted: readonly CelType[] | null): Expression {
  const { program, message } = environment.compile(source)
  if (!program) return { source, program: null, error: `compilation failed: ${message}` }
  if (wanted && !wanted.some((type) => sameType(program.type, type))) {
    const types = wanted.map(formatType)
    const which = types.length === 1 ? `must evaluate to ${types[0]}` : `must evaluate to one of [${types.join(' ')}]`
    return { source, program: null, error: `${which} but got ${formatType(program.type)}` }
  }
  return { source, program, error: '' }
}

/** For mutations, which make objects of types that are called as their paths. */
export function compileMutation(source: string, environment: Environment, wanted: CelType): Expression {
  return compileExpression(source, environment.extend({ types: patchTypes(source) }), [wanted])
}

/** Throws OutOfBudget when all expressions together cost too much. */
export async function evaluate(expression: Expression, bindings: Bindings, budget: Budget): Promise<Result> {
  const result = await attempt(expression, bindings, budget)
  if (budget.exhausted) throw new OutOfBudget()
  return result
}

async function attempt({ program, source, error }: Expression, bindings: Bindings, budget: Budget): Promise<Result> {
  if (!program) return { error: `compilation error: ${error}` }
  try {
    return { value: await evaluateWhenReady(program, bindings, budget) }
  } catch (failure) {
    if (!(failure instanceof CelError) && !(failure instanceof BudgetError)) throw failure
    return { error: `expression '${source}' resulted in error: ${failure.message}` }
  }
}
