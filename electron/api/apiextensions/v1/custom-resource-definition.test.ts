import { describe, expect, it } from 'vitest'
import { created, stored, updated } from '../../testing/rules.ts'
import { customResourceDefinition } from './custom-resource-definition.ts'
import { validateSchema } from './schema-validation.ts'
import type { JSONSchemaProps } from './types.gen.ts'

const version = (name: string, more: object = {}) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object' } },
  ...more,
})
const manifest = (spec: object = {}, metadata: object = {}) => ({
  metadata: { name: 'things.example.com', ...metadata },
  spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' }, versions: [version('v1')], ...spec },
})
const errors = (spec: object, metadata: object = {}) => created(customResourceDefinition, manifest(spec, metadata)).errors

describe('a CustomResourceDefinition', () => {
  it('gets the names that it does not say, and notes the version that is stored', () => {
    const { object, errors } = created(customResourceDefinition, manifest())
    expect(errors).toEqual([])
    expect(object.spec).toMatchObject({ names: { singular: 'thing', listKind: 'ThingList' }, conversion: { strategy: 'None' } })
    expect(object.status.storedVersions).toEqual(['v1'])
  })

  it.each<[string, object, string]>([
    ['group', { group: 'example' }, 'should be a domain with at least one dot'],
    ['scope', { scope: 'Everywhere' }, 'spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"'],
    ['plural', { names: { plural: 'Things', kind: 'Thing' } }, 'spec.names.plural: Invalid value: "Things": a DNS-1035 label'],
    ['kinds', { names: { plural: 'things', kind: 'Thing', listKind: 'Thing' } }, 'kind and listKind may not be the same'],
    ['short names', { names: { plural: 'things', kind: 'Thing', shortNames: ['T'] } }, 'spec.names.shortNames[0]: Invalid value: "T"'],
    ['storage', { versions: [version('v1'), version('v2', { storage: true })] }, 'must have exactly one version marked as storage version'],
    ['versions', { versions: [version('v1'), version('v1', { storage: false })] }, 'must contain unique version names'],
    [
      'schemas',
      { versions: [version('v1', { schema: undefined })] },
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ],
    ['unknown fields', { preserveUnknownFields: true }, 'spec.preserveUnknownFields: Invalid value: true: must be false'],
    [
      'conversion',
      { conversion: { strategy: 'Webhook' } },
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
    ],
    ['warnings', { versions: [version('v1', { deprecationWarning: 'x' })] }, 'can only be set for deprecated versions'],
    [
      'columns',
      { versions: [version('v1', { additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: '.a' }] })] },
      'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
    ],
    [
      'scale',
      { versions: [version('v1', { subresources: { scale: { specReplicasPath: '.status.a', statusReplicasPath: '.status.b' } } })] },
      'spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json path under .spec',
    ],
    [
      'selectable fields',
      { versions: [version('v1', { selectableFields: [{ jsonPath: '.spec.none' }] })] },
      'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.none": is an invalid path: does not refer to a valid field',
    ],
  ])('is refused for its %s', (_, spec, message) => {
    expect(errors(spec).join('\n')).toContain(message)
  })

  it('is called as its resource, and needs approval in groups of the community', () => {
    expect(errors({}, { name: 'other.example.com' })).toEqual([
      'metadata.name: Invalid value: "other.example.com": must be spec.names.plural+"."+spec.group',
    ])
    const name = 'things.sub.k8s.io'
    expect(errors({ group: 'sub.k8s.io' }, { name }).join()).toContain('protected groups must have approval annotation')
    expect(errors({ group: 'sub.k8s.io' }, { name, annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } })).toEqual([])
  })

  it('keeps scope and kind once it is established, and versions that are stored', () => {
    const old = stored(customResourceDefinition, manifest({ versions: [version('v1'), version('v2')] }))
    old.status.conditions = [{ type: 'Established', status: 'True' }]
    const change = (by: (spec: typeof old.spec) => void) => updated(customResourceDefinition, old, ({ spec }) => by(spec)).errors.join('\n')
    expect(change((spec) => (spec.scope = 'Cluster'))).toContain('spec.scope: Invalid value: "Cluster": field is immutable')
    expect(change((spec) => (spec.names.kind = 'Other'))).toContain('spec.names.kind: Invalid value: "Other": field is immutable')
    expect(change((spec) => (spec.names.shortNames = ['t']))).toBe('')
    const without = change((spec) => (spec.versions = [{ ...(spec.versions[1] as (typeof spec.versions)[0]), storage: true }]))
    expect(without).toContain('status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions')
  })
})

describe('a structural schema', () => {
  const of = (spec: JSONSchemaProps) => validateSchema({ type: 'object', properties: { spec } }, 's').map((e) => `${e.field}: ${e.message}`)
  const OBJECT: JSONSchemaProps = { type: 'object' }

  it.each<[string, JSONSchemaProps]>([
    ['int or string', { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }],
    ['anything', { 'x-kubernetes-preserve-unknown-fields': true }],
    [
      'alternatives of fields that there are',
      { ...OBJECT, properties: { a: { type: 'string' } }, oneOf: [{ required: ['a'], properties: { a: { minLength: 1 } } }] },
    ],
    ['a map', { ...OBJECT, additionalProperties: { type: 'string' } }],
  ])('takes %s', (_, schema) => {
    expect(of(schema)).toEqual([])
  })

  it.each<[string, JSONSchemaProps, string]>([
    ['no type', {}, 's.properties[spec].type: Required value: must not be empty for specified object fields'],
    ['an unknown type', { type: 'file' }, 's.properties[spec].type: Unsupported value: "file"'],
    ['null', { type: 'null' }, 'type cannot be set to null, use nullable as an alternative'],
    ['a reference', { ...OBJECT, $ref: '#/x' }, 's.properties[spec].$ref: Forbidden: $ref is not supported'],
    [
      'fields and values',
      { ...OBJECT, properties: { a: { type: 'string' } }, additionalProperties: true },
      'additionalProperties and properties are mutual exclusive',
    ],
    [
      'unique items',
      { type: 'array', items: { type: 'string' }, uniqueItems: true },
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    ],
    ['a broken pattern', { type: 'string', pattern: '(' }, "must be a valid regular expression, but isn't: error parsing regexp"],
    [
      'types in alternatives',
      { ...OBJECT, anyOf: [{ type: 'object' }] },
      's.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural',
    ],
    [
      'fields that are only in alternatives',
      { ...OBJECT, not: { properties: { a: {} } } },
      's.properties[spec].properties[a]: Required value: because it is defined in s.properties[spec].not.properties[a]',
    ],
    [
      'lists with keys that may be absent',
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['a'],
        items: { ...OBJECT, properties: { a: { type: 'string' } } },
      },
      'must have a default or be a required property',
    ],
    [
      'lists of maps without keys',
      { type: 'array', 'x-kubernetes-list-type': 'map', items: OBJECT },
      'must not be empty if x-kubernetes-list-type is map',
    ],
  ])('has not %s', (_, schema, message) => {
    expect(of(schema).join('\n')).toContain(message)
  })

  it('leaves metadata to Kubernetes', () => {
    const root = (metadata: JSONSchemaProps) => validateSchema({ type: 'object', properties: { metadata } }, 's')
    expect(root({ type: 'object', properties: { name: { type: 'string', maxLength: 9 } } })).toEqual([])
    expect(root({ type: 'object', properties: { labels: { type: 'object' } } })).toHaveLength(1)
  })
})
