import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { forbidden, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { validateExpression, validateMatchConditions } from './conditions.ts'
import { defaultMatchResources, paramKindText, validateMatchConstraints, validateParamKind, validateVariables } from './policy-rules.ts'
import { validateFailurePolicy, validateReinvocationPolicy } from './rules.ts'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicySpec, Mutation } from './types.gen.ts'

const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch']

export const mutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  resource: 'mutatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy',
  columns: [
    { name: 'Mutations', type: 'integer', description: 'How many it makes', value: ({ spec }) => spec.mutations?.length ?? 0 },
    { name: 'ParamKind', type: 'string', description: 'What its parameters are', value: ({ spec }) => paramKindText(spec.paramKind) },
    ageColumn,
  ],
  strategy: {
    defaults(policy) {
      policy.spec ??= {}
      policy.spec.failurePolicy ??= 'Fail'
      defaultMatchResources(policy.spec.matchConstraints)
    },
    validate: ({ spec }) => validateSpec(spec),
  },
})

function validateSpec(spec: MutatingAdmissionPolicySpec): FieldError[] {
  const { mutations = [], reinvocationPolicy } = spec
  return [
    ...validateFailurePolicy(spec.failurePolicy, 'spec.failurePolicy'),
    ...(reinvocationPolicy
      ? validateReinvocationPolicy(reinvocationPolicy, 'spec.reinvocationPolicy')
      : [required('spec.reinvocationPolicy')]),
    ...validateParamKind(spec.paramKind, 'spec.paramKind'),
    ...validateMatchConstraints(spec.matchConstraints, 'spec.matchConstraints'),
    ...validateMatchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...validateVariables(spec.variables, 'spec.variables'),
    ...(mutations.length ? [] : [required('spec.mutations', 'mutations must contain at least one item')]),
    ...mutations.flatMap((mutation, i) => validateMutation(mutation, `spec.mutations[${i}]`)),
  ]
}

function validateMutation({ patchType, applyConfiguration, jsonPatch }: Mutation, field: string): FieldError[] {
  if (!patchType) return [required(`${field}.patchType`)]
  if (!PATCH_TYPES.includes(patchType)) return [notSupported(`${field}.patchType`, patchType, PATCH_TYPES)]
  const [wanted, own, name, other, otherName] =
    patchType === 'JSONPatch'
      ? (['JSONPatch', jsonPatch, 'jsonPatch', applyConfiguration, 'applyConfiguration'] as const)
      : (['ApplyConfiguration', applyConfiguration, 'applyConfiguration', jsonPatch, 'jsonPatch'] as const)
  return [
    ...(own
      ? validateExpression(own.expression, `${field}.${name}.expression`)
      : [required(`${field}.${name}`, `must be specified when patchType is ${wanted}`)]),
    ...(other ? [forbidden(`${field}.${otherName}`, `must not be specified when patchType is ${wanted}`)] : []),
  ]
}
