import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { defaultMatchResources, paramRefText, validateMatchResources, validateParamRef, validatePolicyName } from './policy-rules.ts'
import type { MutatingAdmissionPolicyBinding } from './types.gen.ts'

export const mutatingAdmissionPolicyBinding = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  resource: 'mutatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding',
  columns: [
    { name: 'PolicyName', type: 'string', description: 'The policy that it puts in force', value: ({ spec }) => spec.policyName ?? '' },
    { name: 'ParamRef', type: 'string', description: 'Where its parameters are', value: ({ spec }) => paramRefText(spec.paramRef) },
    ageColumn,
  ],
  strategy: {
    defaults(binding) {
      binding.spec ??= {}
      defaultMatchResources(binding.spec.matchResources)
    },
    validate: ({ spec }) => [
      ...validatePolicyName(spec.policyName, 'spec.policyName'),
      ...validateParamRef(spec.paramRef, 'spec.paramRef'),
      ...validateMatchResources(spec.matchResources, 'spec.matchResources'),
    ],
  },
})
