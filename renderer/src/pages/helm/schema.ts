/**
 * Checks values against a chart's values.schema.json: JSON Schema's draft 7 and what later drafts have in common with it, as charts
 * use them. Not compiled to code, so that the page's policy can forbid eval. Formats and references to other files are not checked:
 * Helm itself has the last word.
 */
import type { MessageKey } from '../../i18n/index.ts'

export interface SchemaIssue {
  readonly path: readonly (string | number)[]
  readonly key: Extract<MessageKey, `helm.schema.${string}`>
  readonly params: Readonly<Record<string, string | number>>
}

type Schema = Readonly<Record<string, unknown>>
type Path = readonly (string | number)[]
type Value = unknown

/** As deep as references may lead before they are taken for endless. */
const DEEPEST = 64

export function checkSchema(root: unknown, value: Value): SchemaIssue[] {
  const issues: SchemaIssue[] = []
  const seen = new Set<string>()
  check(root, value, [], { root, depth: 0, report: (issue) => note(issues, seen, issue) })
  return issues
}

function note(issues: SchemaIssue[], seen: Set<string>, issue: SchemaIssue): void {
  const id = JSON.stringify([issue.path, issue.key, issue.params])
  if (!seen.has(id)) issues.push(issue)
  seen.add(id)
}

interface Context {
  readonly root: unknown
  readonly depth: number
  readonly report: (issue: SchemaIssue) => void
}

const isRecord = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

function check(schema: unknown, value: Value, path: Path, context: Context): void {
  const report = (key: SchemaIssue['key'], params: SchemaIssue['params'] = {}, at: Path = path) => context.report({ path: at, key, params })
  if (schema === false) return report('helm.schema.not')
  if (!isRecord(schema) || context.depth > DEEPEST) return
  const deeper = { ...context, depth: context.depth + 1 }
  const target = typeof schema['$ref'] === 'string' ? resolve(context.root, schema['$ref']) : undefined
  if (target !== undefined) check(target, value, path, deeper)

  const types = typeof schema['type'] === 'string' ? [schema['type']] : list(schema['type']).map(String)
  if (types.length && !types.some((type) => isOf(type, value)))
    return report('helm.schema.type', { type: types.join(' | '), is: typeOf(value) })
  const allowed = 'const' in schema ? [schema['const']] : list(schema['enum'])
  if (allowed.length && !allowed.some((each) => same(each, value)))
    report('helm.schema.enum', { values: allowed.map((each) => JSON.stringify(each)).join(', ') })

  if (typeof value === 'number') checkNumber(schema, value, report)
  if (typeof value === 'string') checkText(schema, value, report)
  if (Array.isArray(value)) checkList(schema, value as unknown[], path, deeper, report)
  if (isRecord(value)) checkRecord(schema, value, path, deeper, report)

  for (const each of list(schema['allOf'])) check(each, value, path, deeper)
  const fits = (each: unknown) => fitsSchema(each, value, deeper)
  if (Array.isArray(schema['anyOf']) && !schema['anyOf'].some(fits)) report('helm.schema.anyOf')
  if (Array.isArray(schema['oneOf']) && schema['oneOf'].filter(fits).length !== 1) report('helm.schema.oneOf')
  if ('not' in schema && fits(schema['not'])) report('helm.schema.not')
  if ('if' in schema) check(fits(schema['if']) ? schema['then'] : schema['else'], value, path, deeper)
}

function fitsSchema(schema: unknown, value: Value, context: Context): boolean {
  let wrong = false
  check(schema, value, [], { ...context, report: () => (wrong = true) })
  return !wrong
}

type Report = (key: SchemaIssue['key'], params?: SchemaIssue['params'], at?: Path) => void

function checkNumber(schema: Schema, value: number, report: Report): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
  if (typeof minimum === 'number' && value < minimum) report('helm.schema.minimum', { n: minimum })
  if (typeof maximum === 'number' && value > maximum) report('helm.schema.maximum', { n: maximum })
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) report('helm.schema.minimum', { n: `> ${exclusiveMinimum}` })
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) report('helm.schema.maximum', { n: `< ${exclusiveMaximum}` })
}

function checkText(schema: Schema, value: string, report: Report): void {
  const { minLength, maxLength, pattern } = schema
  const length = Array.from(value).length
  if (typeof minLength === 'number' && length < minLength) report('helm.schema.minLength', { n: minLength })
  if (typeof maxLength === 'number' && length > maxLength) report('helm.schema.maxLength', { n: maxLength })
  if (typeof pattern === 'string' && !matches(pattern, value)) report('helm.schema.pattern', { pattern })
}

/** A pattern that this engine does not know is Helm's to judge. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true
  }
}

function checkList(schema: Schema, value: readonly unknown[], path: Path, context: Context, report: Report): void {
  const { minItems, maxItems, items, uniqueItems } = schema
  if (typeof minItems === 'number' && value.length < minItems) report('helm.schema.minLength', { n: minItems })
  if (typeof maxItems === 'number' && value.length > maxItems) report('helm.schema.maxLength', { n: maxItems })
  if (uniqueItems === true && new Set(value.map((each) => JSON.stringify(each))).size < value.length) report('helm.schema.unique')
  for (const [index, item] of value.entries()) check(Array.isArray(items) ? items[index] : items, item, [...path, index], context)
}

function checkRecord(schema: Schema, value: Schema, path: Path, context: Context, report: Report): void {
  for (const key of list(schema['required']).map(String)) if (!(key in value)) report('helm.schema.required', { key })
  const properties = isRecord(schema['properties']) ? schema['properties'] : {}
  const patterns = isRecord(schema['patternProperties']) ? Object.entries(schema['patternProperties']) : []
  for (const [key, each] of Object.entries(value)) {
    const at = [...path, key]
    const fitting = patterns.filter(([pattern]) => matches(pattern, key))
    if (key in properties) check(properties[key], each, at, context)
    for (const [, other] of fitting) check(other, each, at, context)
    if (key in properties || fitting.length) continue
    if (schema['additionalProperties'] === false) report('helm.schema.additional', { key }, at)
    else check(schema['additionalProperties'], each, at, context)
  }
}

/** Only within the same document: "#/definitions/image". */
function resolve(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined
  let at = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    at = isRecord(at) ? at[name] : Array.isArray(at) ? (at as unknown[])[Number(name)] : undefined
  }
  return at
}

function typeOf(value: Value): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}
function isOf(type: string, value: Value): boolean {
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value)
  return typeOf(value) === type
}
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
