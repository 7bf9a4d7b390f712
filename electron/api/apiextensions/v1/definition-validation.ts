/** What a CustomResourceDefinition must be like. Source: apiextensions-apiserver `apis/apiextensions/validation`. */
import { FIELD_IS_IMMUTABLE } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { duplicate, forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { dns1035Label, dns1123Subdomain } from '../../values/names.ts'
import { validateClientConfig } from '../../admissionregistration/v1/client-config.ts'
import { simplePath } from './json-path.ts'
import { validateSchema } from './schema-validation.ts'
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
  WebhookConversion,
} from './types.gen.ts'

const APPROVAL = 'api-approved.kubernetes.io'
const APPROVAL_LINK = 'https://github.com/kubernetes/enhancements/pull/1111'
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const SCOPES = ['Cluster', 'Namespaced']
const MOST_SELECTABLE = 8
const REVIEW_VERSIONS = ['v1', 'v1beta1']

export function validateDefinition(definition: CustomResourceDefinition): FieldError[] {
  const { metadata, spec } = definition
  const wanted = `${spec.names.plural}.${spec.group}`
  return [
    ...(metadata.name === wanted ? [] : [invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')]),
    ...validateSpec(spec),
    ...validateApproval(definition),
    ...validateStoredVersions(definition),
  ]
}

export function validateDefinitionUpdate({ spec }: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const established = old.status.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
  const same = (field: string, value: string, before: string) => (value === before ? [] : [invalid(field, value, FIELD_IS_IMMUTABLE)])
  return [
    ...(established ? same('spec.scope', spec.scope, old.spec.scope) : []),
    ...(established ? same('spec.names.kind', spec.names.kind, old.spec.names.kind) : []),
    ...same('spec.group', spec.group, old.spec.group),
    ...same('spec.names.plural', spec.names.plural, old.spec.names.plural),
  ]
}

/** A version in which objects may lie in the store cannot go. */
export function validateStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const stored = status.storedVersions ?? []
  const field = 'status.storedVersions'
  const known = new Set(spec.versions.map(({ name }) => name))
  const storage = spec.versions.find((version) => version.storage)?.name
  const errors = stored.flatMap((name, i) => (known.has(name) ? [] : [invalid(`${field}[${i}]`, name, 'must appear in spec.versions')]))
  if (stored.length === 0) errors.push(invalid(field, stored, 'must have at least one stored version'))
  else if (storage !== undefined && !stored.includes(storage))
    errors.push(invalid(field, stored, `must have the storage version ${storage}`))
  return errors
}

function validateSpec(spec: CustomResourceDefinitionSpec): FieldError[] {
  const { group, names, scope, versions, conversion } = spec
  const errors: FieldError[] = []
  if (!group) errors.push(required('spec.group'))
  else {
    const wrong = dns1123Subdomain(group)
    if (wrong.length) errors.push(invalid('spec.group', group, wrong.join(',')))
    else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'))
  }
  if (!scope) errors.push(required('spec.scope', `must be one of: ${SCOPES.join(', ')}`))
  else if (!SCOPES.includes(scope)) errors.push(notSupported('spec.scope', scope, SCOPES))
  errors.push(...validateVersions(versions))
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) if (!names[name]) errors.push(required(`spec.names.${name}`))
  errors.push(...validateNames(names, 'spec.names'))
  if (spec.preserveUnknownFields) errors.push(invalid('spec.preserveUnknownFields', true, 'must be false'))
  errors.push(...validateConversion(conversion, 'spec.conversion'))
  return errors
}

function validateVersions(versions: readonly CustomResourceDefinitionVersion[]): FieldError[] {
  const errors: FieldError[] = []
  const at = 'spec.versions'
  const [first] = versions
  // What all versions have in common is upstream's to hold, and to complain of, once.
  const shared = (of: (version: CustomResourceDefinitionVersion) => unknown) =>
    first !== undefined && versions.every((version) => semanticEqual(of(version) ?? null, of(first) ?? null))
  const once = <T>(
    of: (version: CustomResourceDefinitionVersion) => T,
    field: string,
    check: (value: T, field: string) => FieldError[],
  ) => {
    if (first && shared(of)) errors.push(...check(of(first), `spec.${field === 'schema' ? 'validation' : field}`))
    else for (const [i, version] of versions.entries()) errors.push(...check(of(version), `${at}[${i}].${field}`))
  }
  for (const [i, { name, deprecated, deprecationWarning }] of versions.entries()) {
    const wrong = dns1035Label(name)
    if (wrong.length) errors.push(invalid(`${at}[${i}].name`, name, wrong.join(',')))
    if (deprecationWarning !== undefined) errors.push(...validateWarning(deprecationWarning, deprecated, `${at}[${i}].deprecationWarning`))
  }
  const hasStatus = (version: CustomResourceDefinitionVersion) => version.subresources?.status !== undefined
  const all = versions.map((version, i) => ({ version, field: `${at}[${i}].schema` }))
  for (const { version, field } of all) {
    if (!version.schema?.openAPIV3Schema) errors.push(required(`${field}.openAPIV3Schema`, 'schemas are required'))
  }
  const withStatus = (version: CustomResourceDefinitionVersion) => ({ schema: version.schema?.openAPIV3Schema, status: hasStatus(version) })
  once(withStatus, 'schema', ({ schema, status }, field) =>
    schema
      ? [...(status ? rootWithStatus(schema, `${field}.openAPIV3Schema`) : []), ...validateSchema(schema, `${field}.openAPIV3Schema`)]
      : [],
  )
  once(({ subresources }) => subresources, 'subresources', validateSubresources)
  once(({ additionalPrinterColumns: columns }) => columns ?? [], 'additionalPrinterColumns', validateColumns)
  const selects = (version: CustomResourceDefinitionVersion) => ({
    fields: version.selectableFields ?? [],
    schema: version.schema?.openAPIV3Schema,
  })
  for (const [i, version] of versions.entries()) errors.push(...validateSelectable(selects(version), `${at}[${i}].selectableFields`))
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    errors.push(invalid(at, versions, 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(invalid(at, versions, 'must have exactly one version marked as storage version'))
  return errors
}

function validateWarning(text: string, deprecated: boolean | undefined, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (!deprecated) errors.push(invalid(field, text, 'can only be set for deprecated versions'))
  if (!text) errors.push(invalid(field, text, 'must not be empty'))
  else if (text.length > 256) errors.push(invalid(field, text, 'must be <= 256 characters long'))
  else if (/[\r\n]/.test(text)) errors.push(invalid(field, text, 'must not contain line breaks'))
  return errors
}

/** What may stand beside the properties of a root whose status is checked by itself. */
const AT_ROOT = new Set([
  'type',
  'properties',
  'required',
  'title',
  'description',
  'format',
  'pattern',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'multipleOf',
  'maxLength',
  'minLength',
  'maxItems',
  'minItems',
  'uniqueItems',
  'maxProperties',
  'minProperties',
  'items',
  'additionalItems',
  'enum',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
])

function rootWithStatus(schema: JSONSchemaProps, field: string): FieldError[] {
  if (schema.type !== 'object') {
    const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
    return [invalid(`${field}.type`, schema.type ?? '', why)]
  }
  const other = Object.entries(schema).find(([name, value]) => value !== undefined && !AT_ROOT.has(name))
  if (!other) return []
  const allowed = `[${[...AT_ROOT].join(' ')}]`
  return [invalid(field, schema, `only ${allowed} fields are allowed at the root of the schema if the status subresource is enabled`)]
}

function validateNames(names: CustomResourceDefinitionNames, field: string): FieldError[] {
  const label = (at: string, name: string) => {
    const wrong = name ? dns1035Label(name) : []
    return wrong.length ? [invalid(`${field}.${at}`, name, wrong.join(','))] : []
  }
  const kind = (at: string, name: string) => {
    const wrong = name ? dns1035Label(name.toLowerCase()) : []
    return wrong.length ? [invalid(`${field}.${at}`, name, `may have mixed case, but should otherwise match: ${wrong.join(',')}`)] : []
  }
  const { plural, singular = '', shortNames = [], categories = [], listKind = '' } = names
  const errors = [...label('plural', plural), ...label('singular', singular), ...kind('kind', names.kind), ...kind('listKind', listKind)]
  for (const [i, name] of shortNames.entries()) errors.push(...label(`shortNames[${i}]`, name))
  if (listKind && listKind === names.kind) errors.push(invalid(`${field}.listKind`, listKind, 'kind and listKind may not be the same'))
  for (const [i, name] of categories.entries()) errors.push(...label(`categories[${i}]`, name))
  return errors
}

function validateConversion(conversion: CustomResourceConversion | undefined, field: string): FieldError[] {
  if (!conversion) return []
  const { strategy, webhook } = conversion
  if (strategy === 'Webhook') return validateWebhook(webhook, field)
  const errors =
    strategy === 'None' ? [] : [strategy ? notSupported(`${field}.strategy`, strategy, ['None', 'Webhook']) : required(`${field}.strategy`)]
  if (webhook) errors.push(forbidden(`${field}.webhook`, 'should not be set when strategy is not set to Webhook'))
  return errors
}

/** Errors name the fields as upstream's own form has them, without the `webhook` around them. */
function validateWebhook(webhook: WebhookConversion | undefined, field: string): FieldError[] {
  const at = `${field}.webhookClientConfig`
  const { clientConfig, conversionReviewVersions: versions = [] } = webhook ?? {}
  const errors = clientConfig ? validateClientConfig(clientConfig, at) : [required(at, 'required when strategy is set to Webhook')]
  const reviews = `${field}.conversionReviewVersions`
  if (versions.length === 0) errors.push(required(reviews))
  else if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    errors.push(invalid(reviews, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) errors.push(invalid(`${reviews}[${i}]`, version, 'duplicate version'))
    else errors.push(...dns1035Label(version).map((why) => invalid(`${reviews}[${i}]`, version, why)))
  }
  return errors
}

function validateSubresources(subresources: CustomResourceSubresources | undefined, field: string): FieldError[] {
  const scale = subresources?.scale
  if (!scale) return []
  const at = `${field}.scale`
  const path = (name: string, value: string, below: string) => {
    if (!simplePath(value)) return [invalid(`${at}.${name}`, value, 'must be a json path in the dot notation')]
    return value.startsWith(`.${below}.`) ? [] : [invalid(`${at}.${name}`, value, `should be a json path under .${below}`)]
  }
  const { specReplicasPath: wanted, statusReplicasPath: found, labelSelectorPath: selector } = scale
  const errors: FieldError[] = []
  errors.push(...(wanted ? path('specReplicasPath', wanted, 'spec') : [required(`${at}.specReplicasPath`)]))
  errors.push(...(found ? path('statusReplicasPath', found, 'status') : [required(`${at}.statusReplicasPath`)]))
  if (selector && (!simplePath(selector) || !/^\.(?:spec|status)\./.test(selector)))
    errors.push(invalid(`${at}.labelSelectorPath`, selector, 'should be a json path under either .spec or .status'))
  return errors
}

function validateColumns(columns: readonly CustomResourceColumnDefinition[], field: string): FieldError[] {
  return columns.flatMap(({ name, type, format, jsonPath }, i) => {
    const at = `${field}[${i}]`
    const errors: FieldError[] = []
    if (!name) errors.push(required(`${at}.name`))
    if (!type) errors.push(required(`${at}.type`, `must be one of ${COLUMN_TYPES.join(',')}`))
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(`${at}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`))
    if (format && !COLUMN_FORMATS.includes(format))
      errors.push(invalid(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`))
    if (!jsonPath) errors.push(required(`${at}.JSONPath`))
    else if (!/^[.[]/.test(jsonPath)) errors.push(invalid(`${at}.JSONPath`, jsonPath, 'unrecognized identifier'))
    return errors
  })
}

function validateSelectable(
  { fields, schema }: { fields: readonly SelectableField[]; schema: JSONSchemaProps | undefined },
  field: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (fields.length > MOST_SELECTABLE) {
    const message = `Too many: ${fields.length}: must have at most ${MOST_SELECTABLE} items`
    errors.push({ type: 'FieldValueTooMany', field, message })
  }
  for (const [i, { jsonPath }] of fields.entries()) {
    const at = `${field}[${i}].jsonPath`
    const names = simplePath(jsonPath)
    if (!jsonPath) errors.push(required(at))
    else if (!names) errors.push(invalid(at, jsonPath, 'is an invalid path: only a simple path of field names is supported'))
    else if (names[0] === 'metadata') errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'))
    else {
      const target = names.reduce<JSONSchemaProps | undefined>((one, name) => one?.properties?.[name], schema)
      if (!target) errors.push(invalid(at, jsonPath, 'is an invalid path: does not refer to a valid field'))
      else if (!['boolean', 'integer', 'string'].includes(target.type ?? ''))
        errors.push(
          invalid(
            at,
            jsonPath,
            'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
          ),
        )
    }
    if (fields.findIndex((one) => one.jsonPath === jsonPath) < i) errors.push(duplicate(at, jsonPath))
  }
  return errors
}

function validateApproval({ metadata, spec: { group } }: CustomResourceDefinition): FieldError[] {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return []
  const field = `metadata.annotations[${APPROVAL}]`
  const value = metadata.annotations?.[APPROVAL]
  const must = `protected groups must have approval annotation "${APPROVAL}"`
  if (!value) return [required(field, `${must}, see ${APPROVAL_LINK}`)]
  if (value.startsWith('unapproved') || URL.canParse(value)) return []
  return [invalid(field, value, `${must} with either a URL or a reason starting with "unapproved", see ${APPROVAL_LINK}`)]
}
