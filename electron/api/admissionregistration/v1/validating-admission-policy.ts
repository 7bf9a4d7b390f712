import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { required, type FieldError } from '../../values/field-error.ts'
import { validateMatchConditions } from './conditions.ts'
import { defaultMatchResources, paramKindText, validateMatchConstraints, validateParamKind, validateVariables } from './policy-rules.ts'
import { validateFailurePolicy } from './rules.ts'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicySpec } from './types.gen.ts'
import { validateAuditAnnotations, validateValidation } from './validations.ts'

const EITHER = 'validations or auditAnnotations must contain at least one item'

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  resource: 'validatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  subresources: { status: true },
  columns: [
    { name: 'Validations', type: 'integer', description: 'How many it makes', value: ({ spec }) => spec.validations?.length ?? 0 },
    { name: 'ParamKind', type: 'string', description: 'What its parameters are', value: ({ spec }) => paramKindText(spec.paramKind) },
    ageColumn,
  ],
  strategy: {
    defaults({ spec }) {
      spec.failurePolicy ??= 'Fail'
      defaultMatchResources(spec.matchConstraints)
    },
    validate: ({ metadata, spec }) => validateSpec(spec, metadata.name),
  },
})

function validateSpec(spec: ValidatingAdmissionPolicySpec, name: string): FieldError[] {
  const { validations = [], auditAnnotations = [] } = spec
  const empty = validations.length + auditAnnotations.length === 0
  return [
    ...validateFailurePolicy(spec.failurePolicy, 'spec.failurePolicy'),
    ...validateParamKind(spec.paramKind, 'spec.paramKind'),
    ...validateMatchConstraints(spec.matchConstraints, 'spec.matchConstraints'),
    ...validateMatchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...validateVariables(spec.variables, 'spec.variables'),
    ...(empty ? [required('spec.validations', EITHER), required('spec.auditAnnotations', EITHER)] : []),
    ...validations.flatMap((one, i) => validateValidation(one, `spec.validations[${i}]`)),
    ...validateAuditAnnotations(auditAnnotations, name, 'spec.auditAnnotations'),
  ]
}
