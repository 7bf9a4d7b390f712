/** Rules about an object, evaluated. Source: apiextensions-apiserver `schema/cel/validation.go`, KEP-2876, KEP-4008. */
import type { JSONSchemaProps, ValidationRule } from '../../../api/apiextensions/v1/types.gen.ts'
import { duplicate, forbidden, goQuote, invalid, required, type FieldError } from '../../../api/values/field-error.ts'
import { nextTurn } from '../../../base/next-turn.ts'
import { BudgetError, CelError } from '../../../machinery/cel/errors.ts'
import { fromJson } from '../../../machinery/cel/json.ts'
import { Budget } from '../../../machinery/cel/program.ts'
import { NONE, Optional, type Value } from '../../../machinery/cel/values.ts'
import { getOwn, isObject, jsonEqual } from '../../../machinery/json-value.ts'
import { single, type CompiledRule, type RuleNode } from './compile-rules.ts'

/** What all rules of one object may cost together. */
const BUDGET = 10_000_000
const LONGEST_MESSAGE = 5 * 1024
/** The whole object's own path. */
const ROOT = '<nil>'

export interface RuleOutcome {
  readonly errors: readonly FieldError[]
  /** What is wrong but was so before, in a part that is as it was. */
  readonly warnings: readonly string[]
}

/** What rules say of a default, which is taken for its own old value. `path` is the default's. */
export function defaultRuleErrors(rules: RuleNode, value: unknown, path: string): readonly FieldError[] {
  const run = new RuleRun(rules, value, value, { path, before: undefined })
  run.toEnd()
  return run.errors
}

interface Place {
  readonly value: unknown
  readonly path: string
  /** What the value was, for transition rules: lists tell it only if their items have keys. */
  readonly old: unknown
  /** What it was, for bearing with what was wrong before; undefined: nothing tells. */
  readonly before: unknown
  /** Whether the nearest part around it that has a counterpart is as it was. */
  readonly borne: boolean
}

/** What rules may cost before others have their turn: some milliseconds. One rule is never broken off. */
const SLICE = 200_000

/** A part of the object with rules, and which of them is the next. */
interface Due {
  readonly node: RuleNode
  readonly place: Place
  next: number
}

/** The rules of one object: evaluated in pieces, or all at once. */
export class RuleRun implements RuleOutcome {
  readonly errors: FieldError[] = []
  readonly warnings: string[] = []
  readonly #budget = new Budget(BUDGET)
  readonly #due: Due[] = []
  #at = 0
  #ended = false

  /** `old` is what the object was, on an update. `part`: it is none of its own, but lies at this path. */
  constructor(rules: RuleNode, object: unknown, old?: unknown, part: Pick<Place, 'path' | 'before'> = { path: '', before: old }) {
    this.#visit(rules, { value: object, old, borne: false, ...part })
  }

  /** Goes on for a while. True: it is at its end. */
  advance(): boolean {
    const enough = this.#budget.left - SLICE
    while (!this.#ended && this.#at < this.#due.length && this.#budget.left > enough) {
      const due = this.#due[this.#at] as Due
      this.#evaluate(due)
      if (due.next >= due.node.rules.length) this.#at++
    }
    return this.#ended || this.#at >= this.#due.length
  }

  toEnd(): void {
    while (!this.advance());
  }

  /** To its end, while others have their turns too. */
  async inTurns(): Promise<void> {
    while (!this.advance()) await nextTurn()
  }

  #visit(node: RuleNode, place: Place): void {
    const { value, path, old } = place
    if (value === null || value === undefined) return
    const borne = place.before === undefined ? place.borne : jsonEqual(value, place.before)
    if (node.rules.length > 0) this.#due.push({ node, place: { ...place, borne }, next: 0 })
    for (const one of node.all) this.#visit(one, { ...place, before: undefined })
    if (Array.isArray(value)) {
      const counterpart = correspondence(node.schema, old)
      const before = correspondence(node.schema, place.before)
      if (node.items)
        for (const [i, item] of value.entries())
          this.#visit(node.items, { value: item, path: `${path}[${i}]`, old: counterpart(item), before: before(item), borne })
    } else if (isObject(value)) {
      const [was, seen] = [isObject(old) ? old : {}, isObject(place.before) ? place.before : {}]
      for (const [name, item] of Object.entries(value)) {
        const own = node.values ?? node.properties.get(name)
        if (!own) continue
        const child = node.values ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
        this.#visit(own, { value: item, path: child, old: getOwn(was, name), before: getOwn(seen, name), borne })
      }
    }
  }

  /** The next rule. */
  #evaluate(due: Due): void {
    const { node, place } = due
    const { schema, type, rules } = node
    if (due.next === 0 && this.#budget.left <= 0) return this.#stop(place, schema, OUT_OF_BUDGET)
    const compiled = rules[due.next++] as CompiledRule
    const hasOld = place.old !== undefined && place.old !== null
    const { rule, program, error, usesOldSelf } = compiled
    if (error) this.errors.push(invalid(place.path || ROOT, schema.type, `rule compile error: ${error}`))
    if (!program || (usesOldSelf && !hasOld && !rule.optionalOldSelf)) return
    const bindings = (): Bindings => {
      const before = usesOldSelf && hasOld ? fromJson(place.old, type) : NONE
      const oldSelf = rule.optionalOldSelf && hasOld ? new Optional(before) : before
      return { self: fromJson(place.value, type), ...(usesOldSelf ? { oldSelf } : {}) }
    }
    if (!this.#holds(compiled, () => program.evaluate(bindings(), this.#budget), place, schema))
      this.#broken(compiled, bindings(), place, schema)
  }

  #stop({ path }: Place, schema: JSONSchemaProps, detail: string): void {
    this.#ended = true
    this.errors.push(invalid(path || ROOT, schema.type, detail))
  }

  /** True also if that cannot be told: then the error is said already. */
  #holds({ rule }: CompiledRule, evaluate: () => Value, place: Place, schema: JSONSchemaProps): boolean {
    const wrong = (detail: string) => void this.errors.push(invalid(place.path || ROOT, schema.type, detail))
    try {
      const result = evaluate()
      if (this.#budget.exhausted) this.#stop(place, schema, OUT_OF_BUDGET)
      return this.#ended || result === true
    } catch (error) {
      if (this.#budget.exhausted) this.#stop(place, schema, OUT_OF_BUDGET)
      else if (error instanceof BudgetError) {
        const why = `no further validation rules will be run due to call cost exceeds limit for rule: ${shown(rule)}`
        this.#stop(place, schema, `'${error.message}': ${why}`)
      } else if (!(error instanceof CelError)) throw error
      else if (error.message.startsWith('no such overload'))
        wrong(`'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${shown(rule)}`)
      else wrong(`${error.message} evaluating rule: ${shown(rule)}`)
      return true
    }
  }

  #broken(compiled: CompiledRule, bindings: Bindings, place: Place, schema: JSONSchemaProps): void {
    const { rule, field, usesOldSelf } = compiled
    const path = field === '' ? place.path : place.path === '' ? field : `${place.path}.${field}`
    const message = this.#message(compiled, bindings) ?? (rule.message ? rule.message.trim() : `failed rule: ${shown(rule)}`)
    const whole = schema.type === 'object' || schema.type === 'array'
    const error = errorFor(rule.reason, path || ROOT, whole ? undefined : place.value, message)
    if (!usesOldSelf && place.borne) this.warnings.push(`${error.field}: ${error.message}`)
    else this.errors.push(error)
  }

  /** Undefined if there is none, or none that could be shown. */
  #message({ rule, message }: CompiledRule, bindings: Bindings): string | undefined {
    if (!message) return undefined
    try {
      const value = message.evaluate(bindings, this.#budget)
      if (this.#budget.exhausted) {
        this.#ended = true
        return 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run'
      }
      const text = typeof value === 'string' ? value.trim() : ''
      return text === '' || text.includes('\n') || Buffer.byteLength(text) > LONGEST_MESSAGE ? undefined : text
    } catch (error) {
      if (error instanceof CelError) return undefined
      if (!(error instanceof BudgetError)) throw error
      this.#ended = true
      return `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${goQuote(rule.messageExpression ?? '')}`
    }
  }
}

type Bindings = Readonly<Record<string, Value>>

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

const shown = ({ rule, message }: ValidationRule): string => (message ? message.trim() : rule.trim())

/** `value` undefined: too much to be shown. */
function errorFor(reason: string | undefined, field: string, value: unknown, message: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(field, message)
    case 'FieldValueRequired':
      return required(field, message)
    case 'FieldValueDuplicate':
      return value === undefined ? { type: 'FieldValueDuplicate', field, message: 'Duplicate value' } : duplicate(field, value)
    default:
      return value === undefined
        ? { type: 'FieldValueInvalid', field, message: `Invalid value: ${message}` }
        : invalid(field, value, message)
  }
}

/** The old item with an item's keys; nothing tells in lists without keys. */
function correspondence(schema: JSONSchemaProps, old: unknown): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || keys.length === 0) return () => undefined
  const defaults = single(schema.items)?.properties ?? {}
  const identity = (item: unknown) =>
    isObject(item) ? JSON.stringify(keys.map((key) => getOwn(item, key) ?? defaults[key]?.default ?? null)) : ''
  const known = new Map(old.map((item: unknown) => [identity(item), item]))
  return (item) => known.get(identity(item))
}
