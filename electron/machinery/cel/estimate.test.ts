import { describe, expect, it } from 'vitest'
import { estimateCost } from './estimate.ts'
import { kubernetesEnvironment } from './library/kubernetes/kubernetes.ts'
import { typeOfSchema, type TypeSchema } from './schema-type.ts'

const environment = kubernetesEnvironment()

function cost(schema: TypeSchema, rule: string): number {
  const self = typeOfSchema(schema, false)
  if (!self) throw new Error('the schema has no type')
  const { program, message } = environment.extend({ variables: { self, oldSelf: self } }).compile(rule)
  if (!program) throw new Error(message)
  return estimateCost(program.expr, self).max
}

const array = (items: TypeSchema, maxItems?: number): TypeSchema => ({ type: 'array', items, ...(maxItems ? { maxItems } : {}) })
const map = (values: TypeSchema, maxProperties?: number): TypeSchema => ({
  type: 'object',
  additionalProperties: values,
  ...(maxProperties ? { maxProperties } : {}),
})
const text = (maxLength?: number): TypeSchema => ({ type: 'string', ...(maxLength ? { maxLength } : {}) })
const number = { type: 'number' }
const object = { type: 'object', properties: { required: text(), optional: text() }, required: ['required'] }

/** Kubernetes' own figures for the same schemas and rules. */
describe('what a rule may cost', () => {
  it.each<[string, TypeSchema, number, string]>([
    ['numbers', array(number), 4718591, 'self.all(x, true)'],
    ['ten numbers', array(number, 10), 32, 'self.all(x, true)'],
    ['strings', array(text()), 3145727, 'self.all(x, true)'],
    ['booleans', array({ type: 'boolean' }), 1887437, 'self.all(x, true)'],
    ['lists', array(array(number)), 3145727, 'self.all(x, true)'],
    ['objects', array(object), 555128, 'self.all(x, true)'],
    ['fifty objects', array(object, 50), 152, 'self.all(x, true)'],
    ['a map of numbers', map(number), 1348169, 'self.all(x, true)'],
    ['a map of moments', map({ type: 'string', format: 'date-time' }), 349526, 'self.all(x, true)'],
    ['any text', text(), 314575, "self.lowerAscii() == 'lower!'"],
    ['a text of ten', text(10), 6, "self.lowerAscii() == 'lower!'"],
    ['what a pattern finds in text', text(), 629147, "self.find('[0-9]+') == ''"],
    ['what a pattern finds in ten', text(10), 11, "self.find('[0-9]+') == ''"],
    ['texts, joined', array(text()), 329853068905, "self.join(' ') == 'aa bb'"],
    ['ten texts, joined', array(text(10), 10), 43, "self.join(' ') == 'aa bb'"],
    ['texts in order', array(text()), 329854432052, 'self.isSorted() == true'],
    ['ten texts in order', array(text(10), 10), 52, 'self.isSorted() == true'],
    ['what text holds', text(), 314574, "self.contains('test')"],
    ['how text begins', text(), 2, "self.startsWith('test')"],
    ['text with more text', text(), 314578, 'size(self + "hello") > size("hello")'],
    ['a text of a list with itself', array(text()), 314577, 'self[1] == self[1]'],
    ['ten numbers with each other', array(number, 10), 352, 'self.all(x, self.all(y, true))'],
    ['text and a pattern', text(), 314574, 'self.matches("x")'],
    ['a pattern of nothing', text(), 1, 'self.matches("")'],
    ['numbers, compared', array(number), 6291454, 'self.all(x, x == 0.0)'],
    ['bytes', { type: 'string', format: 'byte' }, 2, 'self == b"x"'],
    ['the size of a map', map({ type: 'integer' }), 5, 'oldSelf.size() == self.size()'],
    ['moments of a map', map({ type: 'string', format: 'date-time' }), 8, 'self["a"] == self["b"]'],
    ['spans of a map', map({ type: 'string', format: 'duration' }), 8, 'self["c"] == self["d"]'],
    ['words of a list', { ...text(), enum: ['A', 'LongValue'] }, 2, "self.contains('A')"],
    ['a quantity', { 'x-kubernetes-int-or-string': true }, 314574, 'isQuantity(self)'],
    ['a short quantity', { 'x-kubernetes-int-or-string': true, maxLength: 20 }, 9, 'isQuantity(self)'],
  ])('%s', (_name, schema, expected, rule) => {
    expect(cost(schema, rule)).toBe(expected)
  })

  it('counts what a replacement makes longer', () => {
    const parts = (maxLength?: number): TypeSchema => ({
      type: 'object',
      properties: { str: text(maxLength), before: text(2), after: text(4) },
    })
    const rule = "self.str.replace(self.before, self.after) == 'does not matter'"
    expect(cost(parts(), rule)).toBe(629154)
    expect(cost(parts(4), rule)).toBe(12)
  })

  it('counts the parts into which text is split', () => {
    const parts = (maxLength?: number): TypeSchema => ({
      type: 'object',
      properties: { str: text(maxLength), separator: text(maxLength) },
    })
    expect(cost(parts(), 'self.str.split(self.separator) == []')).toBe(629160)
    expect(cost(parts(10), 'self.str.split(self.separator) == []')).toBe(22)
  })
})
