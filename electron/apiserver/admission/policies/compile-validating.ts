import type { ValidatingAdmissionPolicySpec, Variable } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import { BOOL, DYN, NULL, STRING, type CelType } from '../../../machinery/cel/types.ts'
import { compileExpression, environmentOf, withVariables, type Expression } from '../expressions/expression.ts'
import { compileConditions, type Conditions } from '../expressions/match-conditions.ts'

export interface CompiledValidation {
  readonly rule: Expression
  readonly message: Expression | null
}

export interface CompiledValidating {
  readonly conditions: Conditions
  readonly variables: ReadonlyMap<string, Expression>
  readonly validations: readonly CompiledValidation[]
  /** In the order of the policy's audit annotations. */
  readonly annotations: readonly Expression[]
}

export function compileValidating(spec: ValidatingAdmissionPolicySpec): CompiledValidating {
  const hasParams = spec.paramKind !== undefined
  const base = environmentOf({ hasParams, hasAuthorizer: true })
  const { variables, environment } = compileVariables(spec.variables, base)
  const messages = withVariables(environmentOf({ hasParams, hasAuthorizer: false }), typesOf(variables))
  return {
    conditions: compileConditions(spec.matchConditions, base),
    variables,
    validations: (spec.validations ?? []).map(({ expression, messageExpression }) => ({
      rule: compileExpression(expression.trim(), environment, [BOOL]),
      message: messageExpression ? compileExpression(messageExpression.trim(), messages, [STRING]) : null,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ valueExpression }) =>
      compileExpression(valueExpression, environment, [STRING, NULL]),
    ),
  }
}

/** Each may name those before it. */
export function compileVariables(variables: readonly Variable[] | undefined, base: Environment) {
  const compiled = new Map<string, Expression>()
  let environment = withVariables(base, typesOf(compiled))
  for (const { name, expression } of variables ?? []) {
    compiled.set(name, compileExpression(expression.trim(), environment, null))
    environment = withVariables(base, typesOf(compiled))
  }
  return { variables: compiled, environment }
}

function typesOf(variables: ReadonlyMap<string, Expression>): Map<string, CelType> {
  return new Map([...variables].map(([name, { program }]) => [name, program?.type ?? DYN]))
}
