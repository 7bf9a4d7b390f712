import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps, ValidationRule } from '../../../api/apiextensions/v1/types.gen.ts'
import { compileRules } from './compile-rules.ts'
import { definitionRuleErrors } from './definition-rules.ts'
import { findField } from './field-path.ts'
import { RuleRun } from './run-rules.ts'

type Rule = string | ValidationRule

const withRules = (schema: JSONSchemaProps, ...rules: Rule[]): JSONSchemaProps => ({
  ...schema,
  'x-kubernetes-validations': rules.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
})
const object = (properties: Record<string, JSONSchemaProps>, ...rules: Rule[]): JSONSchemaProps =>
  withRules({ type: 'object', properties }, ...rules)
const integer: JSONSchemaProps = { type: 'integer' }
const text: JSONSchemaProps = { type: 'string' }

function outcome(schema: JSONSchemaProps, value: object, old?: object) {
  const rules = compileRules(schema)
  if (!rules) throw new Error('there are no rules')
  const run = new RuleRun(rules, value, old)
  run.toEnd()
  const { errors, warnings } = run
  return { errors: errors.map((error) => `${error.field}: ${error.message}`), warnings }
}
const errorsOf = (schema: JSONSchemaProps, value: object, old?: object) => outcome(schema, value, old).errors
const definitionErrors = (schema: JSONSchemaProps) => definitionRuleErrors(schema, 's').map((error) => `${error.field}: ${error.message}`)

describe('a rule', () => {
  const spec = object({ min: integer, max: integer }, { rule: 'self.min <= self.max', message: 'min must not be above max' })

  it('lets pass what it holds for, and says its message of what it does not', () => {
    const schema = object({ spec })
    expect(errorsOf(schema, { spec: { min: 1, max: 2 } })).toEqual([])
    expect(errorsOf(schema, { spec: { min: 3, max: 2 } })).toEqual(['spec: Invalid value: min must not be above max'])
  })

  it('says itself if it has no message, and the value if that is short', () => {
    const schema = object({ size: withRules(integer, ' self % 2 == 0 ') }, 'self.size < 9')
    expect(errorsOf(schema, { size: 11 })).toEqual([
      '<nil>: Invalid value: failed rule: self.size < 9',
      'size: Invalid value: 11: failed rule: self % 2 == 0',
    ])
  })

  it('fails with what went wrong in it', () => {
    const schema = object(
      { list: withRules({ type: 'array', items: integer }, 'self[3] > 1'), any: { 'x-kubernetes-int-or-string': true } },
      '!has(self.any) || self.any > 1',
    )
    expect(errorsOf(schema, { list: [1] })).toEqual(['list: Invalid value: "array": index out of bounds: 3 evaluating rule: self[3] > 1'])
    expect(errorsOf(schema, { any: 'x' })).toEqual([
      '<nil>: Invalid value: "object": \'no such overload\': call arguments did not match a supported operator, function or macro signature for rule: !has(self.any) || self.any > 1',
    ])
  })

  it('has a reason, a place and a message that is computed', () => {
    const rule: ValidationRule = {
      rule: 'self.min <= self.max',
      messageExpression: '"%d is above %d".format([self.min, self.max])',
      reason: 'FieldValueForbidden',
      fieldPath: '.min',
    }
    const schema = object({ spec: object({ min: integer, max: integer }, rule) })
    expect(errorsOf(schema, { spec: { min: 3, max: 2 } })).toEqual(['spec.min: Forbidden: 3 is above 2'])
    const required = object({
      spec: object({ a: text }, { rule: 'has(self.a)', reason: 'FieldValueRequired', fieldPath: '.a', message: 'say a' }),
    })
    expect(errorsOf(required, { spec: {} })).toEqual(['spec.a: Required value: say a'])
  })

  it('falls back on its message if the computed one fails or is empty', () => {
    const fallback = (messageExpression: string) => object({ a: text }, { rule: 'false', message: 'kept', messageExpression })
    expect(errorsOf(fallback('self.a'), {})).toEqual(['<nil>: Invalid value: kept'])
    expect(errorsOf(fallback('" "'), {})).toEqual(['<nil>: Invalid value: kept'])
  })

  it('knows each kind of value by its type', () => {
    const schema = object(
      {
        number: { type: 'number' },
        bytes: { type: 'string', format: 'byte' },
        moment: { type: 'string', format: 'date-time' },
        span: { type: 'string', format: 'duration' },
        map: { type: 'object', additionalProperties: integer },
      },
      'type(self.number) == double',
      'self.bytes == b"abc"',
      'self.moment.getFullYear() == 2026',
      'self.span == duration("90m")',
      'self.map.all(key, self.map[key] > 0)',
      'self.metadata.name == "a" && self.kind == "Thing"',
    )
    const value = {
      number: 1,
      bytes: 'YWJj',
      moment: '2026-01-02T03:04:05Z',
      span: '1h30m',
      map: { a: 1 },
      metadata: { name: 'a' },
      kind: 'Thing',
    }
    expect(errorsOf(schema, value)).toEqual([])
  })

  it('names properties that are no words of the language by their escaped names', () => {
    const schema = object(
      { 'a.b': integer, 'c-d': integer, 'e/f': integer, if: integer, a__b: integer },
      'self.a__dot__b == 1 && self.c__dash__d == 2 && self.e__slash__f == 3 && self.__if__ == 4 && self.a__underscores__b == 5',
    )
    expect(errorsOf(schema, { 'a.b': 1, 'c-d': 2, 'e/f': 3, if: 4, a__b: 5 })).toEqual([])
  })

  it('is asked of each item, value and branch of allOf', () => {
    const schema = object({
      list: { type: 'array', items: withRules(integer, 'self > 0') },
      map: { type: 'object', additionalProperties: withRules(integer, 'self > 0') },
      other: { ...integer, allOf: [withRules({}, 'self > 5')] },
    })
    expect(errorsOf(schema, { list: [1, 0], map: { a: 0 }, other: 3 })).toEqual([
      'list[1]: Invalid value: 0: failed rule: self > 0',
      'map[a]: Invalid value: 0: failed rule: self > 0',
      'other: Invalid value: 3: failed rule: self > 5',
    ])
  })

  it('compares lists as their type says', () => {
    const set: JSONSchemaProps = { type: 'array', items: text, 'x-kubernetes-list-type': 'set' }
    const keyed: JSONSchemaProps = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: object({ k: text, v: integer }),
    }
    const schema = object({ a: set, b: set, c: keyed }, 'self.a == self.b', 'size(self.a + self.b) == 2', 'size(oldSelf.c + self.c) == 2')
    const lists = { a: ['x', 'y'], b: ['y', 'x'] }
    const was = { ...lists, c: [{ k: '1', v: 1 }] }
    const value = {
      ...lists,
      c: [
        { k: '1', v: 2 },
        { k: '2', v: 2 },
      ],
    }
    expect(errorsOf(schema, value, was)).toEqual([])
  })
})

describe('a rule about a change', () => {
  it('is asked only if there was a value before', () => {
    const schema = object({ size: withRules(integer, { rule: 'self >= oldSelf', message: 'may only grow' }) })
    expect(errorsOf(schema, { size: 1 })).toEqual([])
    expect(errorsOf(schema, { size: 1 }, {})).toEqual([])
    expect(errorsOf(schema, { size: 2 }, { size: 1 })).toEqual([])
    expect(errorsOf(schema, { size: 1 }, { size: 2 })).toEqual(['size: Invalid value: 1: may only grow'])
  })

  it('is asked of new values too if its old one is optional', () => {
    const rule = { rule: 'oldSelf.hasValue() || self == 1', optionalOldSelf: true, message: 'must begin with 1' }
    const schema = object({ size: withRules(integer, rule) })
    expect(errorsOf(schema, { size: 2 })).toEqual(['size: Invalid value: 2: must begin with 1'])
    expect(errorsOf(schema, { size: 2 }, { size: 1 })).toEqual([])
  })

  it('finds the old items of lists with keys, wherever they were', () => {
    const items = object({ k: text, v: integer }, { rule: 'self.v == oldSelf.v', message: 'v is fixed' })
    const list: JSONSchemaProps = { type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] }
    const old = {
      list: [
        { k: 'a', v: 1 },
        { k: 'b', v: 2 },
      ],
    }
    expect(
      errorsOf(
        object({ list }),
        {
          list: [
            { k: 'b', v: 2 },
            { k: 'a', v: 3 },
            { k: 'c', v: 4 },
          ],
        },
        old,
      ),
    ).toEqual(['list[1]: Invalid value: v is fixed'])
  })
})

describe('what was wrong before', () => {
  const schema = object({ spec: object({ a: integer, b: withRules(integer, 'self > 0') }) })

  it('is borne with, and warned of, while it is as it was', () => {
    expect(outcome(schema, { spec: { a: 2, b: 0 } }, { spec: { a: 1, b: 0 } })).toEqual({
      errors: [],
      warnings: ['spec.b: Invalid value: 0: failed rule: self > 0'],
    })
    expect(errorsOf(schema, { spec: { b: -1 } }, { spec: { b: 0 } })).toEqual(['spec.b: Invalid value: -1: failed rule: self > 0'])
    expect(errorsOf(schema, { spec: { b: 0 } }, { spec: {} })).toEqual(['spec.b: Invalid value: 0: failed rule: self > 0'])
  })
})

describe('rules that cost too much', () => {
  it('end the validation of the object', () => {
    const list: JSONSchemaProps = { type: 'array', items: integer }
    const schema = object({ list: withRules(list, 'self.all(x, self.all(y, self.all(z, x + y + z > 0)))', 'false') })
    const value = { list: Array.from({ length: 200 }, () => 1) }
    expect(errorsOf(schema, value)).toEqual([
      'list: Invalid value: "array": \'operation cancelled: actual cost limit exceeded\': no further validation rules will be run due to call cost exceeds limit for rule: self.all(x, self.all(y, self.all(z, x + y + z > 0)))',
    ])
  })

  it('together, too', () => {
    const rule = 'self.all(x, self.all(y, x + y > 0))'
    const list = withRules({ type: 'array', items: integer }, ...Array.from({ length: 30 }, () => rule))
    expect(errorsOf(object({ list }), { list: Array.from({ length: 300 }, () => 1) })).toEqual([
      'list: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run',
    ])
  })
})

describe('a definition', () => {
  it('may have rules that compile and are cheap enough', () => {
    expect(definitionErrors(object({ spec: object({ a: integer }, 'self.a > 1', 'self.a >= oldSelf.a') }))).toEqual([])
  })

  it('may have no rule that does not compile', () => {
    expect(definitionErrors(object({ spec: object({ a: integer }, 'self.b > 1') }))).toEqual([
      's.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.b \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: ' +
        "compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b > 1\n | ....^",
    ])
    expect(definitionErrors(object({ a: integer }, 'self.a'))[0]).toContain('cel expression must evaluate to a bool')
    const rule = { rule: 'true', messageExpression: 'self.a' }
    expect(definitionErrors(object({ a: integer }, rule))[0]).toContain('messageExpression must evaluate to a string')
  })

  it('may have no rule that could take too long', () => {
    const list: JSONSchemaProps = { type: 'array', items: text }
    const rule = 'self.all(x, self.exists(y, x == y))'
    expect(definitionErrors(object({ list: withRules(list, rule) }))).toEqual([
      's.properties[list].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)',
      's.properties[list].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
      's: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)',
    ])
    const bounded: JSONSchemaProps = { type: 'array', maxItems: 20, items: { ...text, maxLength: 30 } }
    expect(definitionErrors(object({ list: withRules(bounded, rule) }))).toEqual([])
  })

  it('counts how often a rule may be asked', () => {
    const cheap = withRules(text, 'self.startsWith("a")')
    expect(definitionErrors(object({ map: { type: 'object', additionalProperties: cheap } }))).toEqual([])
    const dear = withRules({ ...text, maxLength: 1000 }, 'self.contains("a")')
    expect(definitionErrors(object({ map: { type: 'object', additionalProperties: dear } }))[0]).toContain(
      'estimated rule cost exceeds budget by factor of',
    )
    expect(definitionErrors(object({ map: { type: 'object', maxProperties: 10, additionalProperties: dear } }))).toEqual([])
  })

  it('may compare with what was only where that can be told', () => {
    const items = withRules(integer, 'self >= oldSelf')
    expect(definitionErrors(object({ list: { type: 'array', maxItems: 5, items } }))).toEqual([
      's.properties[list].items.x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[list]',
    ])
    expect(definitionErrors(object({ a: integer }, { rule: 'self.a > 1', optionalOldSelf: true }))).toEqual([
      's.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
    ])
  })

  it('has its rules written as they must be', () => {
    const errors = definitionErrors(
      object(
        { a: integer },
        { rule: ' ' },
        { rule: 'true', message: ' ' },
        { rule: 'true', message: 'a\nb' },
        { rule: 'true &&\n true' },
        { rule: 'true', messageExpression: ' ' },
        { rule: 'true', fieldPath: '.b' },
        { rule: 'true', reason: 'Because' } as unknown as ValidationRule,
      ),
    )
    expect(errors).toEqual([
      's.x-kubernetes-validations[0].rule: Required value: rule is not specified',
      's.x-kubernetes-validations[1].message: Invalid value: " ": must be non-empty if specified',
      's.x-kubernetes-validations[2].message: Invalid value: "a\\nb": must not contain line breaks',
      's.x-kubernetes-validations[3].message: Required value: message must be specified if rule contains line breaks',
      's.x-kubernetes-validations[4].messageExpression: Required value: messageExpression must be non-empty if specified',
      's.x-kubernetes-validations[5].fieldPath: Invalid value: ".b": must be a valid path',
      's.x-kubernetes-validations[6].reason: Unsupported value: "Because": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
    ])
  })
})

describe('the path to a field', () => {
  const schema = object({ a: object({ 'b.c': text }), map: { type: 'object', additionalProperties: object({ d: text }) } })
  it.each([
    ['.a', 'a'],
    [".a['b.c']", 'a.b.c'],
    [".map['x'].d", 'map[x].d'],
    ['.map.x', 'map[x]'],
  ])('%s is %s', (path, found) => expect(findField(path, schema).path).toBe(found))

  it.each([
    ['.b', 'does not refer to a valid field'],
    ['a', 'expected [ or . but got: a'],
    ['.a[0]', 'expected single quoted string but got 0'],
    [".a['b.c'", 'unexpected end of JSON path'],
    ['.', 'unexpected end of JSON path'],
  ])('%s: %s', (path, why) => expect(() => findField(path, schema)).toThrow(why))
})

describe('rules that cost much', () => {
  const items = { type: 'array', items: withRules({ type: 'array', items: integer }, 'self.all(a, self.all(b, a + b > 0))') }
  const rules = () => compileRules(object({ lists: items }))
  const value = (lists: number) => ({ lists: Array.from({ length: lists }, () => Array.from({ length: 100 }, (_, i) => i + 1)) })

  it('are evaluated in pieces, between which others have their turns, with the same outcome', async () => {
    const compiled = rules()
    if (!compiled) throw new Error('there are no rules')
    const run = new RuleRun(compiled, value(40))
    let turns = 0
    let isDone = false
    const count = () => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    await run.inTurns()
    isDone = true
    expect(turns).toBeGreaterThan(4)
    const atOnce = new RuleRun(compiled, value(40))
    atOnce.toEnd()
    expect(run.errors).toEqual(atOnce.errors)
    expect(run.errors).toEqual([])
  })

  it('end at the limit of the whole object', async () => {
    const compiled = rules()
    if (!compiled) throw new Error('there are no rules')
    const run = new RuleRun(compiled, value(1000))
    await run.inTurns()
    expect(run.errors.map(({ message }) => message)).toEqual([expect.stringContaining('running out of cost budget')])
  })

  it('that cost little need no turn', () => {
    const compiled = rules()
    expect(compiled && new RuleRun(compiled, value(1)).advance()).toBe(true)
  })
})
