import { describe, expect, it } from 'vitest'
import { BINDINGS, Environment, OPTIONALS } from './environment.ts'
import { BudgetError } from './errors.ts'
import { fromJson, toJson } from './json.ts'
import { escapeName } from './names.ts'
import { Budget, CALL_LIMIT } from './program.ts'
import { typeOfSchema } from './schema-type.ts'
import { DYN, INT, STRING, listOf, mapOf, objectType } from './types.ts'

const environment = new Environment({ libraries: [BINDINGS, OPTIONALS], variables: { x: DYN, list: listOf(INT) } })

function program(source: string, from = environment) {
  const { program: made, message } = from.compile(source)
  if (!made) throw new Error(message)
  return made
}

const cost = (source: string, bindings: object) => {
  const budget = new Budget(CALL_LIMIT)
  program(source).evaluate(Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, fromJson(value)])), budget)
  return CALL_LIMIT - budget.left
}

describe('an evaluation', () => {
  it.each([
    ['1 + 1', 1],
    ['x.a.b', 3],
    ['x.a.b == "text"', 4],
    ['[1, 2]', 0],
    ['[list[0], 2]', 12],
    ['{"a": 1}', 0],
    ['{"a": list}', 31],
    ['list[0] in [1, 2]', 2],
    ['int("5") == list[0]', 3],
    ['x.a.b == "text" ? x : list', 4],
    ['list.exists_one(i, i > 2)', 11],
    ['has(x.a)', 1],
    ['list.all(i, i > 0)', 17],
    ['list.exists(i, i > 2)', 20],
    ['list.map(i, i + 1)', 44],
    ['"abcdefghijkl".startsWith("abc")', 1],
    ['"abcdefghijkl".matches("[a-z]+")', 4],
    ['1 in list', 4],
  ])('%s costs %d', (source, expected) => {
    expect(cost(source, { x: { a: { b: 'text' } }, list: [1, 2, 3] })).toBe(expected)
  })

  it('ends when it costs too much, whatever is around it', () => {
    const many = { list: fromJson(Array.from({ length: 2000 }, () => 1)) }
    const endless = 'list.all(i, list.all(j, i + j > 0))'
    expect(() => program(`${endless} || true`).evaluate(many)).toThrow(BudgetError)
    expect(() => program('[1, 2].map(i, "x").all(s, s == "y")').evaluate({})).not.toThrow()
  })

  it('takes what it cost from a budget, also if it fails', () => {
    const budget = new Budget(5)
    expect(() => program('list[9] + 1').evaluate({ list: fromJson([]) }, budget)).toThrow('index out of bounds: 9')
    expect(budget.left).toBe(3)
    program('x == x && x == x').evaluate({ x: 1n }, budget)
    expect(budget.exhausted).toBe(true)
  })

  it('does without what failed where the rest decides', () => {
    const of = (source: string) => program(source).evaluate({ x: fromJson({ a: 1 }), list: fromJson([1, 0, 2]) })
    expect(of('x.b == 1 || x.a == 1')).toBe(true)
    expect(of('x.b == 1 && x.a == 2')).toBe(false)
    expect(of('list.exists(i, 2 / i == 1)')).toBe(true)
    expect(of('list.all(i, 4 / i > 3)')).toBe(false)
    expect(() => of('list.all(i, 4 / i > 1)')).toThrow('division by zero')
  })

  it('knows which variables an expression mentions, and not those of its macros', () => {
    expect([...program('list.all(x, x > 0)').mentions]).toEqual(['list'])
    expect([...program('list.all(i, i > x)').mentions]).toEqual(['list', 'x'])
    expect([...program('cel.bind(list, 1, list + 1)').mentions]).toEqual([])
  })
})

describe('objects of the API', () => {
  const schema = {
    type: 'object',
    properties: {
      size: { type: 'integer' },
      part: { type: 'number' },
      at: { type: 'string', format: 'date' },
      'a.b': { type: 'string' },
      any: { 'x-kubernetes-int-or-string': true },
    },
  }
  const self = typeOfSchema(schema, false)
  if (!self) throw new Error('no type')
  const own = environment.extend({ variables: { self } })
  const of = (source: string, value: object) => program(source, own).evaluate({ self: fromJson(value, self) })

  it('are looked at by their types', () => {
    expect(of('self.part / 2.0', { part: 3 })).toBe(1.5)
    expect(of('self.size / 2', { size: 3 })).toBe(1n)
    expect(of('self.at.getMonth()', { at: '2026-03-04' })).toBe(2n)
    expect(of('self.a__dot__b', { 'a.b': 'c' })).toBe('c')
    expect(of('type(self.any) == int ? "number" : self.any', { any: 5 })).toBe('number')
    expect(of('has(self.size)', {})).toBe(false)
    expect(() => of('self.size', {})).toThrow('no such key: size')
    expect(own.compile('self.none').message).toContain("undefined field 'none'")
    expect(own.compile('self.size + 1.0').message).toContain("found no matching overload for '_+_' applied to '(int, double)'")
  })

  it('are equal if what they have is', () => {
    expect(of('self == self', { size: 1, 'a.b': 'x' })).toBe(true)
    const pair = own.extend({ variables: { other: self } })
    const differ = program('self == other', pair)
    const bind = (one: object, other: object) => differ.evaluate({ self: fromJson(one, self), other: fromJson(other, self) })
    expect(bind({ 'a.b': 'x' }, { 'a.b': 'y' })).toBe(false)
    expect(bind({ size: 1 }, { size: 1, part: 2 })).toBe(false)
  })

  it('without types show whole numbers as such', () => {
    expect(program('x.n == 1 && type(x.n) == int && type(x.d) == double').evaluate({ x: fromJson({ n: 1, d: 1.5 }) })).toBe(true)
  })

  it('are made by expressions where a type says so', () => {
    const fields = new Map([
      ['replicas', { type: INT, property: 'replicas' }],
      ['labels', { type: mapOf(STRING, STRING), property: 'labels' }],
    ])
    const made = new Environment({ libraries: [OPTIONALS], types: [objectType('Object.spec', (name) => fields.get(name))] })
    expect(toJson(program('Object.spec{replicas: 3, labels: {"a": "b"}}', made).evaluate({}))).toEqual({ replicas: 3, labels: { a: 'b' } })
    expect(toJson(program('Object.spec{?replicas: optional.none()}', made).evaluate({}))).toEqual({})
    expect(made.compile('Object.spec{size: 3}').message).toContain("undefined field 'size'")
    expect(made.compile('Object.spec{replicas: "3"}').message).toContain(
      "expected type of field 'replicas' is 'int' but provided type is 'string'",
    )
  })
})

describe('errors of expressions', () => {
  it('show their place', () => {
    expect(environment.compile('x &&\n  y > 1').message).toBe(
      "ERROR: <input>:2:3: undeclared reference to 'y' (in container '')\n |   y > 1\n | ..^",
    )
    expect(environment.compile('"é" + z').message).toContain('\n | "é" + z\n | .．....^')
  })
})

describe('names of properties', () => {
  it.each([
    ['a', 'a'],
    ['a-b.c/d', 'a__dash__b__dot__c__slash__d'],
    ['a__b', 'a__underscores__b'],
    ['in', '__in__'],
    ['namespace', '__namespace__'],
  ])('%s is written %s', (name, written) => expect(escapeName(name)).toBe(written))
})
