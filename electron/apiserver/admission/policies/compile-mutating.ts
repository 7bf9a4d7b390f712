import type { MutatingAdmissionPolicySpec } from '../../../api/admissionregistration/v1/types.gen.ts'
import { listOf, objectType } from '../../../machinery/cel/types.ts'
import { compileMutation, environmentOf, type Expression } from '../expressions/expression.ts'
import { compileConditions, type Conditions } from '../expressions/match-conditions.ts'
import { jsonPatchType, OBJECT } from '../expressions/patch-types.ts'
import { compileVariables } from './compile-validating.ts'

export interface CompiledMutating {
  readonly conditions: Conditions
  readonly variables: ReadonlyMap<string, Expression>
  readonly mutations: readonly { readonly type: 'ApplyConfiguration' | 'JSONPatch'; readonly expression: Expression }[]
}

const WANTED = { ApplyConfiguration: objectType(OBJECT, () => undefined), JSONPatch: listOf(jsonPatchType) }

export function compileMutating(spec: MutatingAdmissionPolicySpec): CompiledMutating {
  const declared = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true }
  const { variables, environment } = compileVariables(spec.variables, environmentOf(declared, true))
  return {
    conditions: compileConditions(spec.matchConditions, environmentOf(declared)),
    variables,
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
      const source = (patchType === 'JSONPatch' ? jsonPatch : applyConfiguration)?.expression ?? ''
      return { type: patchType, expression: compileMutation(source.trim(), environment, WANTED[patchType]) }
    }),
  }
}
