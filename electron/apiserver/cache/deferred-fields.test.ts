import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { ManagedFieldsEntry } from '../../api/meta/v1/types.gen.ts'
import { thaw } from '../../machinery/freeze.ts'
import { findManagedFields } from './deferred-fields.ts'
import { Layout } from './layout.ts'

const layout = new Layout({ group: '', version: 'v1', kind: 'Thing' })
const FIELDS = [
  { manager: 'a "[{', operation: 'Apply', fieldsV1: { 'f:data': { 'k:{"name":"x"}': {} } } },
] as unknown as ManagedFieldsEntry[]
const stored = (metadata: object, rest: object = {}) => layout.encode({ metadata, ...rest } as unknown as KubeObject)
const parsed = (bytes: Buffer) => {
  const object = JSON.parse(bytes.toString()) as KubeObject
  object.metadata.resourceVersion = '5'
  return object
}

describe('managedFields of a cached object', () => {
  it('are read when they are asked for, and are part of every copy', () => {
    const object = layout.read(stored({ name: 'a', managedFields: FIELDS }, { data: 'x' }), 5)
    expect(Object.getOwnPropertyDescriptor(object.metadata, 'managedFields')).not.toHaveProperty('value')
    expect(object.metadata.managedFields).toEqual(FIELDS)
    expect(object.metadata.managedFields).toBe(object.metadata.managedFields)
    expect({ ...object.metadata }).toEqual({ name: 'a', resourceVersion: '5', managedFields: FIELDS })
    expect(structuredClone(object).metadata.managedFields).toEqual(FIELDS)
    expect(JSON.parse(JSON.stringify(object))).toMatchObject({ metadata: { name: 'a', managedFields: FIELDS }, data: 'x' })
    const open = thaw(object)
    open.metadata.managedFields = []
    expect(open.metadata.managedFields).toEqual([])
  })

  it('are frozen with the rest', () => {
    const object = layout.read(stored({ name: 'a', labels: { x: '1' }, managedFields: FIELDS }, { spec: { list: [{}] } }), 5)
    expect(() => (object.metadata.managedFields as unknown[]).push(1)).toThrow(TypeError)
    expect(() => (object.metadata.managedFields = [])).toThrow(TypeError)
    expect(() => delete object.metadata.managedFields).toThrow(TypeError)
    expect(Object.isFrozen(object.metadata.labels)).toBe(true)
    expect(Object.isFrozen((object as unknown as { spec: { list: object[] } }).spec.list[0])).toBe(true)
  })

  it('are found in the metadata alone', () => {
    const nested = { template: { metadata: { managedFields: FIELDS } } }
    for (const bytes of [stored({ name: 'a' }, nested), stored({}, nested), stored({ labels: { managedFields: '[' } }, nested)]) {
      expect(findManagedFields(bytes, layout.head.length)).toBeNull()
      expect(layout.read(bytes, 5)).toEqual(parsed(bytes))
    }
    const both = stored({ annotations: { a: '"managedFields":[' }, managedFields: FIELDS }, nested)
    expect(layout.read(both, 5).metadata.managedFields).toEqual(FIELDS)
  })

  it.each(['{"managedFields":[],"name":"a"}', '{"managedFields":[]}', '{"name":"a","managedFields":[{}],"uid":"u"}'])(
    'may be anywhere there: %s',
    (metadata) => {
      const bytes = Buffer.from(`${layout.head.toString().slice(0, -1)}${metadata},"data":"ä"}`)
      expect(layout.read(bytes, 5)).toEqual(parsed(bytes))
    },
  )

  it('leave objects as they are, whatever these hold', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"managedFields":[', ']}', '\\', '"'))
    fc.assert(
      fc.property(fc.dictionary(text, text), fc.array(fc.jsonValue()), fc.jsonValue(), (annotations, fields, data) => {
        const bytes = stored({ annotations, managedFields: fields }, { data })
        expect(layout.read(bytes, 5)).toEqual(parsed(bytes))
      }),
    )
  })
})
