/** Which rules a definition may have: they compile, and what they may cost is bounded. Source: apiextensions-apiserver `apis/apiextensions/validation`. */
import type { JSONSchemaProps, ValidationRule } from '../../../api/apiextensions/v1/types.gen.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../../api/values/field-error.ts'
import { estimateCost } from '../../../machinery/cel/estimate.ts'
import { NO_LIMIT } from '../../../machinery/cel/ranges.ts'
import { MAX_REQUEST, typeOfSchema, type SizedType } from '../../../machinery/cel/schema-type.ts'
import { compileRule, single, type CompiledRule } from './compile-rules.ts'
import { findField } from './field-path.ts'

/** What one expression may cost for all values that it may be about, and what all of a schema's may. */
const RULE_LIMIT = 10_000_000
const SCHEMA_LIMIT = 100_000_000
const MOST_NAMED = 4
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/** `field` is the schema's own path. */
export function definitionRuleErrors(schema: JSONSchemaProps, field: string): FieldError[] {
  const check = new Check()
  check.visit(schema, field, { root: true, count: 1, uncorrelated: null })
  return [...check.errors, ...check.total(field)]
}

interface Context {
  readonly root: boolean
  /** How many values of this schema an object has at most; null: no limit. */
  readonly count: number | null
  /** The nearest part around it whose old items cannot be told. */
  readonly uncorrelated: string | null
}

interface Cost {
  readonly field: string
  readonly cost: number
}

class Check {
  readonly errors: FieldError[] = []
  readonly #costs: Cost[] = []
  #total = 0

  visit(schema: JSONSchemaProps, field: string, context: Context): void {
    const { properties = {}, additionalProperties: values } = schema
    const before = this.errors.length
    const each = elementsOf(schema)
    const count = context.count === null || each === null ? null : times(context.count, each)
    const below = (one: JSONSchemaProps, at: string, uncorrelated = context.uncorrelated) =>
      this.visit(one, `${field}.${at}`, { root: false, count, uncorrelated })
    if (typeof values === 'object') below(values, 'additionalProperties')
    for (const [name, one] of Object.entries(properties)) below(one, `properties[${name}]`)
    for (const [i, one] of (schema.allOf ?? []).entries()) this.#alternative(one, `${field}.allOf[${i}]`, true)
    for (const name of ['anyOf', 'oneOf'] as const)
      for (const [i, one] of (schema[name] ?? []).entries()) this.#alternative(one, `${field}.${name}[${i}]`, false)
    if (schema.not) this.#alternative(schema.not, `${field}.not`, false)
    const items = single(schema.items)
    if (items) below(items, 'items', schema['x-kubernetes-list-type'] === 'map' ? context.uncorrelated : field)
    const rules = schema['x-kubernetes-validations'] ?? []
    for (const [i, rule] of rules.entries()) this.errors.push(...written(rule, schema, `${field}.x-kubernetes-validations[${i}]`))
    if (rules.length === 0 || this.errors.length > before) return
    const type = typeOfSchema(schema, context.root || (schema['x-kubernetes-embedded-resource'] ?? false))
    const at = `${field}.x-kubernetes-validations`
    if (!type) this.errors.push(invalid(at, '', 'internal error: failed to retrieve type information for x-kubernetes-validations'))
    else for (const [i, rule] of rules.entries()) this.#rule(compileRule(rule, schema, type), type, `${at}[${i}]`, context)
  }

  /** Rules in `allOf` are compiled with the structure around it, when objects come; elsewhere there can be none. */
  #alternative(schema: JSONSchemaProps, field: string, allowed: boolean): void {
    const rules = schema['x-kubernetes-validations'] ?? []
    if (rules.length > 0 && !allowed) this.errors.push(forbidden(`${field}.x-kubernetes-validations`, 'must be empty to be structural'))
    else for (const [i, rule] of rules.entries()) this.errors.push(...written(rule, null, `${field}.x-kubernetes-validations[${i}]`))
    for (const [name, one] of Object.entries(schema.properties ?? {})) this.#alternative(one, `${field}.properties[${name}]`, allowed)
    const items = single(schema.items)
    if (items) this.#alternative(items, `${field}.items`, allowed)
  }

  #rule(compiled: CompiledRule, type: SizedType, at: string, { count, uncorrelated }: Context): void {
    const { rule, program, message, error, messageError, usesOldSelf } = compiled
    const cardinality = count ?? Math.floor(MAX_REQUEST / (type.minBytes + 1))
    const cost = program ? times(estimateCost(program.expr, type).max, cardinality) : 0
    this.#observe(`${at}.rule`, cost, 'estimated rule cost')
    if (error) this.errors.push(invalid(`${at}.rule`, internal(rule), error))
    if (messageError) this.errors.push(invalid(`${at}.messageExpression`, internal(rule), messageError))
    else if (message) this.#observe(`${at}.messageExpression`, estimateCost(message.expr, type).max, 'estimated messageExpression cost')
    if (usesOldSelf && uncorrelated !== null) {
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`
      this.errors.push(invalid(`${at}.rule`, rule.rule, why))
    } else if (program && !usesOldSelf && rule.optionalOldSelf !== undefined)
      this.errors.push(invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
  }

  #observe(field: string, cost: number, what: string): void {
    if (cost > RULE_LIMIT) this.errors.push(forbidden(field, exceeded(what, cost, RULE_LIMIT)))
    this.#total = Math.min(this.#total + cost, NO_LIMIT)
    if (cost >= SCHEMA_LIMIT / 100) this.#costs.push({ field, cost })
  }

  total(field: string): FieldError[] {
    if (this.#total <= SCHEMA_LIMIT) return []
    const dearest = this.#costs.sort((a, b) => b.cost - a.cost).slice(0, MOST_NAMED)
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    return [
      ...dearest.map((one) =>
        forbidden(one.field, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'),
      ),
      forbidden(field, exceeded(what, this.#total, SCHEMA_LIMIT)),
    ]
  }
}

const times = (a: number, b: number): number => Math.min(a * b, NO_LIMIT)

/** How many values the children of a value have at most; null: no limit. */
function elementsOf({ type, additionalProperties: values, maxProperties, maxItems }: JSONSchemaProps): number | null {
  if (type === 'array') return maxItems === undefined ? null : Math.max(0, maxItems)
  if (type === 'object' && values) return maxProperties === undefined ? null : Math.max(0, maxProperties)
  return 1
}

function exceeded(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  const advice = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'
  return `${what} exceeds budget by factor of ${shown} (${advice})`
}

/** As upstream shows a rule in errors. */
function internal({ rule, message = '', messageExpression = '', reason, fieldPath = '', optionalOldSelf }: ValidationRule): object {
  return {
    Rule: rule,
    Message: message,
    MessageExpression: messageExpression,
    Reason: reason ?? null,
    FieldPath: fieldPath,
    OptionalOldSelf: optionalOldSelf ?? null,
  }
}

const LINE_BREAK = /[\n\r]/

/** What is wrong with a rule as it is written. `schema` null: paths are not looked up. */
function written(rule: ValidationRule, schema: JSONSchemaProps | null, at: string): FieldError[] {
  const { message = '', messageExpression = '', reason, fieldPath = '' } = rule
  const errors: FieldError[] = []
  const [source, text] = [rule.rule.trim(), message.trim()]
  if (source === '') errors.push(required(`${at}.rule`, 'rule is not specified'))
  else if (message !== '' && text === '') errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'))
  else if (LINE_BREAK.test(text)) errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'))
  else if (LINE_BREAK.test(source) && text === '')
    errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'))
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'))
  if (reason !== undefined && !REASONS.includes(reason)) errors.push(notSupported(`${at}.reason`, reason, REASONS))
  if (fieldPath === '') return errors
  if (fieldPath.trim() === '') errors.push(invalid(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified'))
  if (LINE_BREAK.test(fieldPath)) errors.push(invalid(`${at}.fieldPath`, fieldPath, 'must not contain line breaks'))
  if (schema && !isField(fieldPath, schema)) errors.push(invalid(`${at}.fieldPath`, fieldPath, 'must be a valid path'))
  return errors
}

function isField(path: string, schema: JSONSchemaProps): boolean {
  try {
    findField(path, schema)
    return true
  } catch {
    return false
  }
}
