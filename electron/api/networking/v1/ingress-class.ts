import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { forbidden, invalidEach, notSupported, required, tooLong, type FieldError } from '../../values/field-error.ts'
import { nameIsDnsLabel } from '../../values/names.ts'
import { domainPrefixedPath } from '../../core/v1/pod-spec/signers.ts'
import { validateTypedReference } from './typed-reference.ts'
import type { IngressClass, IngressClassParametersReference } from './types.gen.ts'

const MAX_CONTROLLER = 250
const SCOPES = ['Cluster', 'Namespace']

export const ingressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  resource: 'ingressclasses',
  namespaced: false,
  model: 'io.k8s.api.networking.v1.IngressClass',
  columns: [
    { name: 'Controller', type: 'string', description: 'Who serves its ingresses', value: ({ spec }) => spec.controller ?? '' },
    { name: 'Parameters', type: 'string', description: 'The object that configures it', value: parametersText },
    ageColumn,
  ],
  strategy: {
    defaults({ spec }) {
      if (spec.parameters) spec.parameters.scope ??= 'Cluster'
    },
    validate({ spec }) {
      const { controller = '', parameters } = spec
      return [
        ...(controller.length > MAX_CONTROLLER ? [tooLong('spec.controller', MAX_CONTROLLER)] : []),
        ...domainPrefixedPath(controller, 'spec.controller'),
        ...(parameters ? validateParameters(parameters, 'spec.parameters') : []),
      ]
    },
    validateUpdate: ({ spec }, old) => immutable('spec.controller', spec.controller, old.spec.controller),
  },
})

function parametersText({ spec: { parameters } }: IngressClass): string {
  if (!parameters) return '<none>'
  const { kind, apiGroup, name } = parameters
  return `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`
}

function validateParameters(parameters: IngressClassParametersReference, field: string): FieldError[] {
  const { scope, namespace } = parameters
  const out = validateTypedReference(parameters, field)
  const at = `${field}.namespace`
  if (scope === undefined) return [...out, required(`${field}.scope`)]
  if (!SCOPES.includes(scope)) return [...out, notSupported(`${field}.scope`, scope, SCOPES)]
  if (scope === 'Cluster') return namespace === undefined ? out : [...out, forbidden(at, "`parameters.scope` is set to 'Cluster'")]
  if (namespace === undefined) return [...out, required(at, "`parameters.scope` is set to 'Namespace'")]
  return [...out, ...invalidEach(at, namespace, nameIsDnsLabel(namespace))]
}
