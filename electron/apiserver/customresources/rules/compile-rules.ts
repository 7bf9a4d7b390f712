/** The rules of a schema, compiled. Source: apiextensions-apiserver `schema/cel/{compilation,validation}.go`. */
import type { JSONSchemaProps, ValidationRule } from '../../../api/apiextensions/v1/types.gen.ts'
import { kubernetesEnvironment } from '../../../machinery/cel/library/kubernetes/kubernetes.ts'
import type { Program } from '../../../machinery/cel/program.ts'
import { typeOfSchema, type SizedType } from '../../../machinery/cel/schema-type.ts'
import { BOOL, STRING, optionalOf, sameType } from '../../../machinery/cel/types.ts'
import { findField } from './field-path.ts'

export interface CompiledRule {
  readonly rule: ValidationRule
  /** Null if there is no rule, or it is wrong. */
  readonly program: Program | null
  /** What is wrong with the rule; "" if nothing. */
  readonly error: string
  readonly usesOldSelf: boolean
  readonly message: Program | null
  readonly messageError: string
  /** Where the rule's errors are, below the value that it is about; "" if they are the value's. */
  readonly field: string
}

/** Rules of a value and of what is below it; there are none below a node that is absent. */
export interface RuleNode {
  readonly schema: JSONSchemaProps
  /** What the value is for expressions. */
  readonly type: SizedType
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleNode>
  readonly items: RuleNode | null
  readonly values: RuleNode | null
  readonly all: readonly RuleNode[]
}

const environment = kubernetesEnvironment()

export function compileRule(rule: ValidationRule, schema: JSONSchemaProps, self: SizedType): CompiledRule {
  const nothing: CompiledRule = { rule, program: null, error: '', usesOldSelf: false, message: null, messageError: '', field: '' }
  if (rule.rule.trim() === '') return nothing
  const oldSelf = rule.optionalOldSelf ? optionalOf(self) : self
  const own = environment.extend({ variables: { self, oldSelf } })
  const { program, message: failure } = own.compile(rule.rule)
  if (!program) return { ...nothing, error: `compilation failed: ${failure}` }
  if (!sameType(program.type, BOOL)) return { ...nothing, error: 'cel expression must evaluate to a bool' }
  const compiled = { ...nothing, program, usesOldSelf: program.mentions.has('oldSelf'), field: fieldOf(rule, schema) }
  if (!rule.messageExpression) return compiled
  const message = own.compile(rule.messageExpression)
  if (!message.program) return { ...compiled, messageError: `messageExpression compilation failed: ${message.message}` }
  if (!sameType(message.program.type, STRING)) return { ...compiled, messageError: 'messageExpression must evaluate to a string' }
  return { ...compiled, message: message.program }
}

function fieldOf({ fieldPath }: ValidationRule, schema: JSONSchemaProps): string {
  try {
    return fieldPath ? findField(fieldPath, schema).path : ''
  } catch {
    return ''
  }
}

/** Null if there are no rules at all. `root`: the schema is of a whole object. */
export function compileRules(schema: JSONSchemaProps, root = true): RuleNode | null {
  const type = hasRules(schema) ? typeOfSchema(schema, root) : null
  return type && node(schema, schema, type)
}

export function hasRules(schema: JSONSchemaProps): boolean {
  if (schema['x-kubernetes-validations']?.length) return true
  const { items, additionalProperties: others, properties = {}, allOf = [] } = schema
  const below = [...Object.values(properties), ...allOf, items, others]
  return below.some((one) => typeof one === 'object' && !Array.isArray(one) && hasRules(one))
}

/** `said` has the rules, `schema` the structure: they differ in what stands in `allOf`. */
function node(said: JSONSchemaProps, schema: JSONSchemaProps, type: SizedType): RuleNode | null {
  const rules = (said['x-kubernetes-validations'] ?? []).map((rule) => compileRule(rule, schema, type))
  const properties = new Map<string, RuleNode>()
  for (const [name, one] of Object.entries(said.properties ?? {})) {
    const structure = schema.properties?.[name]
    const own = structure && below(one, structure, name, type)
    if (own) properties.set(name, own)
  }
  const [items, structure] = [single(said.items), single(schema.items)]
  const all = (said.allOf ?? []).flatMap((one) => node(one, schema, type) ?? [])
  const made: RuleNode = {
    schema,
    type,
    rules,
    properties,
    items: items && structure ? below(items, structure, '@idx', type) : null,
    values:
      typeof said.additionalProperties === 'object' && typeof schema.additionalProperties === 'object'
        ? below(said.additionalProperties, schema.additionalProperties, '@elem', type)
        : null,
    all,
  }
  return rules.length > 0 || properties.size > 0 || made.items || made.values || all.length > 0 ? made : null
}

export const single = (items: JSONSchemaProps['items']): JSONSchemaProps | null => (items && !Array.isArray(items) ? items : null)

function below(said: JSONSchemaProps, schema: JSONSchemaProps, name: string, parent: SizedType): RuleNode | null {
  if (!hasRules(said)) return null
  const type = typeOfSchema(schema, schema['x-kubernetes-embedded-resource'] ?? false, `${parent.name}.${name}`)
  return type && node(said, schema, type)
}
