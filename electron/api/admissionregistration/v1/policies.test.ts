import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row } from '../../testing/rules.ts'
import { mutatingAdmissionPolicy } from './mutating-admission-policy.ts'
import { validatingAdmissionPolicyBinding } from './validating-admission-policy-binding.ts'
import { validatingAdmissionPolicy } from './validating-admission-policy.ts'

const matchConstraints = {
  resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }],
}
const validating = (more: Loose = {}): Loose => ({ spec: { matchConstraints, validations: [{ expression: 'true' }], ...more } })
const mutating = (more: Loose = {}): Loose => ({
  spec: {
    matchConstraints,
    reinvocationPolicy: 'Never',
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
    ...more,
  },
})
const binding = (more: Loose = {}): Loose => ({ spec: { policyName: 'one', validationActions: ['Deny'], ...more } })

describe('a validating admission policy', () => {
  it('fails closed and matches versions that are the same', () => {
    const { object, errors } = created(validatingAdmissionPolicy, validating({ paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }))
    expect(errors).toEqual([])
    expect(object.spec).toMatchObject({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, resourceRules: [{ scope: '*' }] },
    })
    expect(row(validatingAdmissionPolicy, object)).toMatchObject({ Validations: 1, ParamKind: 'v1/ConfigMap' })
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['nothing to match', { matchConstraints: undefined }, ['spec.matchConstraints: Required value']],
    [
      'nothing to say',
      { validations: [] },
      [
        'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
        'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
      ],
    ],
    [
      'a variable that CEL cannot name',
      { variables: [{ name: 'a-b', expression: '1' }] },
      ['spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier'],
    ],
    [
      'a message of two lines',
      { validations: [{ expression: 'true', message: 'a\nb' }] },
      ['spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks'],
    ],
    [
      'a reason of its own',
      { validations: [{ expression: 'true', reason: 'Gone' }] },
      [
        'spec.validations[0].reason: Unsupported value: "Gone": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"',
      ],
    ],
    [
      'annotations of one key',
      {
        auditAnnotations: [
          { key: 'a', valueExpression: '"x"' },
          { key: 'a', valueExpression: '"y"' },
        ],
      },
      ['spec.auditAnnotations[1].key: Duplicate value: "a"'],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(created(validatingAdmissionPolicy, validating(spec)).errors).toEqual(errors)
  })
})

describe('a binding', () => {
  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['a whole one', { paramRef: { name: 'a', namespace: 'b', parameterNotFoundAction: 'Deny' } }, []],
    ['of nothing', { policyName: '' }, ['spec.policyName: Required value']],
    ['without effect', { validationActions: [] }, ['spec.validationActions: Required value']],
    [
      'to parameters by name and by label',
      { paramRef: { name: 'a', selector: {}, parameterNotFoundAction: 'Allow' } },
      [
        'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
        'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
      ],
    ],
    [
      'that leaves open what happens without parameters',
      { paramRef: { name: 'a' } },
      ['spec.paramRef.parameterNotFoundAction: Required value'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(validatingAdmissionPolicyBinding, binding(spec)).errors).toEqual(errors)
  })

  it('does not say a refusal twice', () => {
    const [error] = created(validatingAdmissionPolicyBinding, binding({ validationActions: ['Deny', 'Warn'] })).errors
    expect(error).toMatch(/^spec.validationActions: Invalid value: \["Deny","Warn"\]: must not contain both Deny and Warn/)
  })
})

describe('a mutating admission policy', () => {
  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['a whole one', {}, []],
    ['without mutations', { mutations: [] }, ['spec.mutations: Required value: mutations must contain at least one item']],
    ['that does not say whether it is asked again', { reinvocationPolicy: undefined }, ['spec.reinvocationPolicy: Required value']],
    [
      'with the wrong half',
      { mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'Object{}' } }] },
      [
        'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
        'spec.mutations[0].applyConfiguration: Forbidden: must not be specified when patchType is JSONPatch',
      ],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(mutatingAdmissionPolicy, mutating(spec)).errors).toEqual(errors)
  })
})
