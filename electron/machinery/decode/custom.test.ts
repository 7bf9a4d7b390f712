import { describe, expect, it } from 'vitest'
import { testTypes } from '../testing/types.ts'
import { Codecs, type Codec } from './codec.ts'

const codecs = new Codecs()
const bytes = (text: string) => Buffer.from(text)
const parse = (codec: Codec<Record<string, unknown>>, value: unknown) => codec.parse(bytes(JSON.stringify(value)))
const decode = (codec: Codec<Record<string, unknown>>, value: unknown) => parse(codec, value).object

describe('custom resources', () => {
  const type = testTypes.custom(
    {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            size: { type: 'integer', default: 3 },
            name: { type: 'string' },
            open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: { type: 'string', default: 'k' } } },
            port: { 'x-kubernetes-int-or-string': true },
            maybe: { type: 'string', nullable: true, default: 'd' },
            tags: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } } } },
            template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
            constructor: { type: 'string' },
          },
        },
      },
    },
    'Widget',
  )
  const widget = codecs.for<Record<string, unknown>>(type)

  it('are pruned and defaulted by their schema, and otherwise left as they are', () => {
    const { object, strict } = parse(widget, {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'a', extra: 1 },
      spec: {
        gone: 1,
        name: '',
        open: { free: [1] },
        port: 'x',
        tags: { t: { a: 'b', c: 'd' } },
        template: { kind: 'Pod', metadata: { bad: 1 }, x: 1 },
      },
    })
    expect(object).toEqual({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'a' },
      spec: {
        size: 3,
        name: '',
        open: { known: 'k', free: [1] },
        port: 'x',
        maybe: 'd',
        tags: { t: { a: 'b' } },
        template: { kind: 'Pod', metadata: {}, x: 1 },
      },
    })
    expect(strict).toEqual([
      'unknown field "metadata.extra"',
      'unknown field "spec.gone"',
      'unknown field "spec.tags.t.c"',
      'unknown field "spec.template.metadata.bad"',
    ])
  })

  it('keep null where the schema has a place for it', () => {
    expect(decode(widget, { spec: { maybe: null, size: null, name: null } })).toMatchObject({ spec: { maybe: null, size: 3, name: null } })
  })

  it('keep values of a wrong type for validation to find', () => {
    expect(decode(widget, { spec: { size: 'big', tags: [1], name: { a: 1 } } })).toMatchObject({
      spec: { size: 'big', tags: [1], name: { a: 1 } },
    })
  })

  it('keep numbers that are whole but not written so', () => {
    expect(widget.parse(bytes('{"spec":{"size":1.0}}')).object).toMatchObject({ spec: { size: 1 } })
  })
})
