import { describe, expect, it } from 'vitest'
import { checkSchema } from './schema.ts'

const told = (schema: unknown, value: unknown) => checkSchema(schema, value).map(({ path, key }) => `${path.join('.')} ${key.slice(12)}`)

describe('checkSchema', () => {
  it('knows types, integers among numbers', () => {
    expect(told({ type: 'integer' }, 1)).toEqual([])
    expect(told({ type: 'integer' }, 1.5)).toEqual([' type'])
    expect(told({ type: ['string', 'null'] }, null)).toEqual([])
    expect(checkSchema({ type: 'string' }, [])[0]?.params).toEqual({ type: 'string', is: 'array' })
  })

  it('goes into mappings and lists, and says where', () => {
    const schema = {
      type: 'object',
      required: ['image'],
      additionalProperties: false,
      patternProperties: { '^x-': {} },
      properties: { image: {}, ports: { type: 'array', maxItems: 2, uniqueItems: true, items: { type: 'integer', maximum: 65535 } } },
    }
    expect(told(schema, { ports: [80, 99999], other: 1, 'x-own': 1 })).toEqual([' required', 'ports.1 maximum', 'other additional'])
    expect(told(schema, { image: 1, ports: [1, 1, 1] })).toEqual(['ports maxLength', 'ports unique'])
  })

  it('follows references within the document, endless ones too', () => {
    const schema = {
      $ref: '#/definitions/tree',
      definitions: { tree: { type: 'object', properties: { child: { $ref: '#/definitions/tree' }, size: { minimum: 1 } } } },
    }
    expect(told(schema, { child: { child: { size: 0 } } })).toEqual(['child.child.size minimum'])
    expect(told({ $ref: '#' }, 1)).toEqual([])
  })

  it('combines', () => {
    expect(told({ anyOf: [{ type: 'string' }, { type: 'number' }] }, true)).toEqual([' anyOf'])
    expect(told({ oneOf: [{ minimum: 1 }, { maximum: 5 }] }, 3)).toEqual([' oneOf'])
    expect(told({ not: { const: 'x' } }, 'x')).toEqual([' not'])
    expect(told({ if: { required: ['tls'] }, then: { required: ['cert'] } }, { tls: true })).toEqual([' required'])
    expect(told({ allOf: [{ enum: ['a', 'b'] }, { pattern: '^a' }] }, 'b')).toEqual([' pattern'])
  })
})
