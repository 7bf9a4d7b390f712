import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps } from '../../api/apiextensions/v1/types.gen.ts'
import { hasFormat } from './formats.ts'
import { validateValue } from './validate.ts'

const of = (value: unknown, schema: JSONSchemaProps, old?: unknown) =>
  validateValue({ a: value }, { type: 'object', properties: { a: schema } }, '', old === undefined ? undefined : { a: old }).map(
    ({ field, message }) => `${field}: ${message}`,
  )

const STRING: JSONSchemaProps = { type: 'string' }

describe('a value of a custom resource', () => {
  it.each<[string, unknown, JSONSchemaProps, string[]]>([
    ['type', 'x', { type: 'integer' }, ['a: Invalid value: "string": a in body must be of type integer: "string"']],
    ['whole number', 1.5, { type: 'integer' }, ['a: Invalid value: "number": a in body must be of type integer: "number"']],
    ['number that is whole', 1, { type: 'number' }, []],
    ['null', null, STRING, ['a: Invalid value: "null": a in body must be of type string: "null"']],
    ['null that may be', null, { ...STRING, nullable: true }, []],
    ['int or string', 'http', { 'x-kubernetes-int-or-string': true }, []],
    [
      'int32',
      2 ** 31,
      { type: 'integer', format: 'int32' },
      ['a: Invalid value: 2147483648: Checked value must be of type integer with format int32 in a'],
    ],
    ['maximum', 3, { type: 'integer', maximum: 2 }, ['a: Invalid value: 3: a in body should be less than or equal to 2']],
    [
      'exclusive maximum',
      2,
      { type: 'integer', maximum: 2, exclusiveMaximum: true },
      ['a: Invalid value: 2: a in body should be less than 2'],
    ],
    ['minimum', 0, { type: 'integer', minimum: 1 }, ['a: Invalid value: 0: a in body should be greater than or equal to 1']],
    [
      'exclusive minimum',
      1,
      { type: 'integer', minimum: 1, exclusiveMinimum: true },
      ['a: Invalid value: 1: a in body should be greater than 1'],
    ],
    ['multiple', 0.3, { type: 'number', multipleOf: 0.1 }, []],
    ['no multiple', 7, { type: 'integer', multipleOf: 2 }, ['a: Invalid value: 7: a in body should be a multiple of 2']],
    ['longest', 'äöü', { ...STRING, maxLength: 2 }, ['a: Too long: may not be more than 2 bytes']],
    ['shortest', 'ä', { ...STRING, minLength: 2 }, ['a: Invalid value: "ä": a in body should be at least 2 chars long']],
    ['pattern', 'b', { ...STRING, pattern: '^a' }, ['a: Invalid value: "b": a in body should match \'^a\'']],
    ['format', 'x', { ...STRING, format: 'date-time' }, ['a: Invalid value: "x": a in body must be of type date-time: "x"']],
    ['enum', 'c', { ...STRING, enum: ['a', 'b'] }, ['a: Unsupported value: "c": supported values: "a", "b"']],
    ['most items', [1, 2], { type: 'array', items: { type: 'integer' }, maxItems: 1 }, ['a: Too many: 2: must have at most 1 item']],
    ['least items', [], { type: 'array', minItems: 1 }, ['a: Invalid value: 0: a in body should have at least 1 items']],
    ['unique items', [1, 1], { type: 'array', uniqueItems: true }, ["a: Invalid value: [1,1]: a in body shouldn't contain duplicates"]],
    [
      'items',
      [1, 'x'],
      { type: 'array', items: { type: 'integer' } },
      ['a[1]: Invalid value: "string": a[1] in body must be of type integer: "string"'],
    ],
    ['required', {}, { type: 'object', required: ['b'] }, ['a.b: Required value']],
    ['most properties', { b: 1, c: 1 }, { type: 'object', maxProperties: 1 }, ['a: Too many: 2: must have at most 1 item']],
    ['least properties', {}, { type: 'object', minProperties: 1 }, ['a: Invalid value: 0: a in body should have at least 1 properties']],
    [
      'values of a map',
      { k: 1 },
      { type: 'object', additionalProperties: STRING },
      ['a.k: Invalid value: "integer": a.k in body must be of type string: "integer"'],
    ],
    [
      'any of',
      'x',
      { anyOf: [{ pattern: 'a' }, { pattern: 'b' }] },
      ['<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)', 'a: Invalid value: "x": a in body should match \'a\''],
    ],
    [
      'one of',
      'ab',
      { oneOf: [{ pattern: 'a' }, { pattern: 'b' }] },
      ['<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'all of',
      'a',
      { allOf: [{ pattern: 'a' }, { pattern: 'b' }] },
      ['a: Invalid value: "a": a in body should match \'b\'', '<nil>: Invalid value: "": "a" must validate all the schemas (allOf)'],
    ],
    ['not', 'a', { not: { pattern: 'a' } }, ['<nil>: Invalid value: "": "a" must not validate the schema (not)']],
  ])('%s', (_, value, schema, errors) => {
    expect(of(value, schema)).toEqual(errors)
  })

  it('may stay as it was, but not become wrong in another way', () => {
    const list: JSONSchemaProps = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: STRING, size: { type: 'integer', maximum: 1 } } },
    }
    expect(
      of(
        [
          { name: 'new', size: 1 },
          { name: 'x', size: 5 },
        ],
        list,
        [{ name: 'x', size: 5 }],
      ),
    ).toEqual([])
    expect(of([{ name: 'x', size: 6 }], list, [{ name: 'x', size: 5 }])).toHaveLength(1)
    expect(of(3, { type: 'integer', maximum: 2 }, 3)).toEqual([])
  })
})

describe('formats', () => {
  it.each([
    ['date-time', '2026-01-31T10:00:00.5+01:00', '2026-02-30T10:00:00Z'],
    ['date', '2024-02-29', '2026-02-29'],
    ['ipv4', '10.0.0.1', '::1'],
    ['ipv6', '::1', '10.0.0.1'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
    ['mac', '00:11:22:aa:bb:cc', '00:11'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123'],
    ['uuid4', '123e4567-e89b-42d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
    ['hostname', 'a.example.com', 'a_b!'],
    ['email', 'a@example.com', 'example.com'],
    ['uri', 'https://example.com/', 'no uri'],
    ['byte', 'aGk=', 'a'],
    ['duration', '1h30m', '1 fortnight'],
    ['isbn10', '3-16-148410-X', '3161484101'],
    ['isbn13', '978-3-16-148410-0', '9783161484101'],
    ['creditcard', '4111 1111 1111 1111', '4111111111111112'],
    ['ssn', '123-45-6789', '12-345'],
    ['hexcolor', '#ff00AA', '#ff'],
    ['rgbcolor', 'rgb(1, 2, 255)', 'rgb(1,2,256)'],
    ['bsonobjectid', '507f1f77bcf86cd799439011', '507f'],
  ])('%s', (format, good, bad) => {
    expect([hasFormat(format, good), hasFormat(format, bad)]).toEqual([true, false])
  })

  it('that nobody knows say nothing', () => {
    expect(hasFormat('whatever', 'x')).toBe(true)
  })
})
