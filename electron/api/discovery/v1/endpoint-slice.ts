import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { validateEndpoints, validatePorts } from './endpoint-validation.ts'
import { notSupported, required, type FieldError } from '../../values/field-error.ts'
import type { EndpointSlice } from './types.gen.ts'

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
const SHOWN = 3

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  namespaced: true,
  model: 'io.k8s.api.discovery.v1.EndpointSlice',
  columns: [
    { name: 'AddressType', type: 'string', description: 'Sort of its addresses', value: ({ addressType }) => addressType },
    {
      name: 'Ports',
      type: 'string',
      description: 'The first ports',
      value: ({ ports }) => firstOf((ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port)))),
    },
    {
      name: 'Endpoints',
      type: 'string',
      description: 'The first addresses',
      value: ({ endpoints }) => firstOf((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    },
    ageColumn,
  ],
  strategy: {
    defaults(slice) {
      slice.endpoints ??= []
      slice.ports ??= []
      for (const port of slice.ports) {
        port.name ??= ''
        port.protocol ??= 'TCP'
      }
    },
    prepareForCreate({ endpoints }) {
      for (const endpoint of endpoints ?? []) delete endpoint.deprecatedTopology
    },
    validate: (slice) => [
      ...validateAddressType(slice.addressType),
      ...validateEndpoints(slice.endpoints ?? [], slice.addressType),
      ...validatePorts(slice.ports ?? []),
    ],
    validateUpdate: ({ addressType }, old) => immutable('addressType', addressType, old.addressType),
    // Labels say what the endpoints are for, so they count.
    generationChanged: (slice, old) => !semanticEqual(content(slice), content(old)),
  },
})

/** Without what says only which kind it is: a patch may take that away. */
function content({ kind: _kind, apiVersion: _apiVersion, metadata, ...rest }: EndpointSlice): object {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...meta } = metadata
  return { ...rest, metadata: meta }
}

function firstOf(values: readonly string[]): string {
  const text = values.slice(0, SHOWN).join(',')
  return values.length > SHOWN ? `${text} + ${values.length - SHOWN} more...` : text || '<unset>'
}

function validateAddressType(type: string): FieldError[] {
  if (!type) return [required('addressType')]
  return ADDRESS_TYPES.includes(type) ? [] : [notSupported('addressType', type, ADDRESS_TYPES)]
}
