/** What a CustomResourceDefinition does beyond other objects: it ends only after its objects, and its defaults and rules must be fit for them. */
import { X509Certificate } from 'node:crypto'
import type { CustomResourceConversion, CustomResourceDefinition, JSONSchemaProps } from '../../api/apiextensions/v1/types.gen.ts'
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import { modelFacts } from '../../api/schema/facts.ts'
import { invalid, type FieldError } from '../../api/values/field-error.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import type { Clock } from '../../base/clock.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { Codecs } from '../../machinery/decode/codec.ts'
import { jsonEqual } from '../../machinery/json-value.ts'
import { createTypes, type Schema } from '../../machinery/schema/build.ts'
import { validateValue } from '../../machinery/schema/validate.ts'
import { invalidObject } from '../../machinery/status.ts'
import type { ResourceHooks } from '../registry/registry.ts'
import { compileRules } from './rules/compile-rules.ts'
import { definitionRuleErrors } from './rules/definition-rules.ts'
import { defaultRuleErrors } from './rules/run-rules.ts'

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

export function definitionHooks(clock: Clock): ResourceHooks {
  return {
    create: (object) => check(object as CustomResourceDefinition, null),
    update: (object, old) => check(object as CustomResourceDefinition, old as CustomResourceDefinition),
    holds: ({ metadata }) => !metadata.deletionTimestamp,
    terminating(object) {
      const { metadata, status } = object as CustomResourceDefinition
      const finalizers = metadata.finalizers ?? []
      if (!finalizers.includes(CLEANUP_FINALIZER)) metadata.finalizers = [...finalizers, CLEANUP_FINALIZER]
      const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon'
      const condition = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message }
      status.conditions = [...setCondition(status.conditions, condition, formatTime(clock.now()))]
    },
  }
}

/** What is wrong with the rest is said by the kind's own validation, which comes later. Throws 422. */
function check(definition: CustomResourceDefinition, old: CustomResourceDefinition | null): null {
  if (customResourceDefinition.strategy.validate?.(definition).length) return null
  const errors = [...bundleErrors(definition, old), ...schemaErrors(definition, old)]
  if (errors.length > 0) throw invalidObject(customResourceDefinition, definition.metadata.name, errors)
  return null
}

/** Who converts must be known by certificates. A bundle that was of no use before is borne with. */
function bundleErrors({ spec }: CustomResourceDefinition, old: CustomResourceDefinition | null): FieldError[] {
  const bundleOf = (conversion: CustomResourceConversion | undefined) => conversion?.webhook?.clientConfig?.caBundle
  const bundle = bundleOf(spec.conversion)
  if (!bundle || holdsCertificates(bundle)) return []
  const before = bundleOf(old?.spec.conversion)
  if (before && !holdsCertificates(before)) return []
  const why = 'unable to load root certificates: unable to parse bytes as PEM block'
  return [invalid('spec.conversion.webhookClientConfig.caBundle', bundle, why)]
}

function holdsCertificates(base64: string): boolean {
  const blocks = Buffer.from(base64, 'base64')
    .toString('latin1')
    .match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  try {
    return blocks !== null && blocks.every((block) => new X509Certificate(block).raw.length > 0)
  } catch {
    return false
  }
}

/** A schema that is as it was is not looked at again. */
function schemaErrors(definition: CustomResourceDefinition, old: CustomResourceDefinition | null): FieldError[] {
  const { versions } = definition.spec
  const [first] = versions
  // What all versions have in common is upstream's to hold, and to complain of, once.
  const shared = versions.every(({ schema }) => semanticEqual(schema, first?.schema))
  return (shared ? versions.slice(0, 1) : versions).flatMap(({ name, schema }, i) => {
    const before = old?.spec.versions.find((version) => version.name === name)?.schema
    if (!schema?.openAPIV3Schema || semanticEqual(schema, before)) return []
    const field = `spec.${shared ? 'validation' : `versions[${i}].schema`}.openAPIV3Schema`
    return [...defaultErrors(schema.openAPIV3Schema, field), ...definitionRuleErrors(schema.openAPIV3Schema, field)]
  })
}

function defaultErrors(schema: JSONSchemaProps, field: string): FieldError[] {
  const errors: FieldError[] = []
  const { default: value, items, additionalProperties: others, properties = {} } = schema
  if (value !== undefined) {
    const at = `${field}.default`
    errors.push(...validateValue(value, schema).map((error) => ({ ...error, field: error.field === '' ? at : `${at}.${error.field}` })))
    if (!jsonEqual(pruned(value, schema), value)) errors.push(invalid(at, value, 'must not have unknown fields'))
    const rules = errors.length === 0 ? compileRules(schema, schema['x-kubernetes-embedded-resource'] ?? false) : null
    if (rules) errors.push(...defaultRuleErrors(rules, value, at))
  }
  if (items && !Array.isArray(items)) errors.push(...defaultErrors(items, `${field}.items`))
  if (typeof others === 'object') errors.push(...defaultErrors(others, `${field}.additionalProperties`))
  for (const [name, property] of Object.entries(properties)) errors.push(...defaultErrors(property, `${field}.properties[${name}]`))
  return errors
}

const types = createTypes(modelFacts)

function pruned(value: unknown, schema: JSONSchemaProps): unknown {
  const holder = types.custom({ type: 'object', properties: { value: schema } } as Schema, '')
  const { object } = new Codecs().for<{ value: unknown }>(holder).decode({ value }, { strict: false, defaults: false })
  return object.value
}
