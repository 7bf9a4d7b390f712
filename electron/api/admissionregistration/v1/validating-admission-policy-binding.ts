import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { duplicate, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { defaultMatchResources, paramRefText, validateMatchResources, validateParamRef, validatePolicyName } from './policy-rules.ts'
import type { ValidatingAdmissionPolicyBinding } from './types.gen.ts'

const ACTIONS = ['Audit', 'Deny', 'Warn']

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  resource: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  columns: [
    { name: 'PolicyName', type: 'string', description: 'The policy that it puts in force', value: ({ spec }) => spec.policyName ?? '' },
    { name: 'ParamRef', type: 'string', description: 'Where its parameters are', value: ({ spec }) => paramRefText(spec.paramRef) },
    ageColumn,
  ],
  strategy: {
    defaults({ spec }) {
      defaultMatchResources(spec.matchResources)
    },
    validate: ({ spec }) => [
      ...validatePolicyName(spec.policyName, 'spec.policyName'),
      ...validateParamRef(spec.paramRef, 'spec.paramRef'),
      ...validateMatchResources(spec.matchResources, 'spec.matchResources'),
      ...validateActions(spec.validationActions ?? [], 'spec.validationActions'),
    ],
  },
})

function validateActions(actions: readonly string[], field: string): FieldError[] {
  if (actions.length === 0) return [required(field)]
  const out = actions.flatMap((action, i) => {
    const at = `${field}[${i}]`
    if (!ACTIONS.includes(action)) return [notSupported(at, action, ACTIONS)]
    return actions.indexOf(action) < i ? [duplicate(at, action)] : []
  })
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'
    out.push(invalid(field, actions, why))
  }
  return out
}
