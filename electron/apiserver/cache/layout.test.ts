import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { Entry } from './entry.ts'
import { Layout } from './layout.ts'

const layout = new Layout({ group: 'apps', version: 'v1', kind: 'Deployment' })
const objectOf = (metadata: object, rest: object = {}) => ({ kind: 'X', apiVersion: 'x', metadata, ...rest }) as unknown as KubeObject

describe('Layout', () => {
  it('keeps no resourceVersion, and puts in the one that is asked for', () => {
    const value = layout.encode(objectOf({ name: 'a', resourceVersion: '7' }, { spec: { x: 'ä' } }))
    expect(value.toString()).toBe('{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"a"},"spec":{"x":"ä"}}')
    expect(JSON.parse(layout.splice(value, 1234567890).toString())).toEqual({
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { name: 'a', resourceVersion: '1234567890' },
      spec: { x: 'ä' },
    })
    expect(layout.splice(value, 0).equals(value)).toBe(true)
  })

  it('makes JSON of the announced length for any object and revision', () => {
    const names = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(fc.dictionary(names, names), fc.dictionary(names, fc.jsonValue()), fc.nat(), (labels, spec, revision) => {
        const metadata = Object.keys(labels).length > 0 ? { labels } : {}
        const value = layout.encode(objectOf(metadata, { spec }))
        const bytes = layout.splice(value, revision)
        expect(bytes.length).toBe(layout.splicedLength(value, revision))
        const version = revision > 0 ? { resourceVersion: String(revision) } : {}
        const parsed = JSON.parse(bytes.toString()) as { metadata: unknown; spec: unknown }
        expect(parsed.metadata).toEqual(JSON.parse(JSON.stringify({ ...metadata, ...version })))
        expect(JSON.stringify(parsed.spec)).toBe(JSON.stringify(JSON.parse(JSON.stringify(spec))))
      }),
    )
  })

  it('knows bytes of its own from others', () => {
    expect(layout.fits(layout.encode(objectOf({ name: 'a' })))).toBe(true)
    expect(layout.fits(Buffer.from('{"apiVersion":"apps/v1","kind":"Deployment","metadata":{}}'))).toBe(false)
  })
})

describe('Entry', () => {
  it('hands out one frozen object, with its resourceVersion', () => {
    const entry = new Entry(layout, 'k', layout.encode(objectOf({ name: 'a' }, { spec: { list: [{ x: 1 }] } })), 5)
    expect(entry.object).toMatchObject({ kind: 'Deployment', metadata: { name: 'a', resourceVersion: '5' } })
    expect(entry.object).toBe(entry.object)
    const { list } = (entry.object as unknown as { spec: { list: { x: number }[] } }).spec
    expect(() => list.push({ x: 2 })).toThrow(TypeError)
  })

  it('takes the object that its bytes were made of, while it is remembered', () => {
    const object = objectOf({ name: 'a' })
    const value = layout.encode(object)
    layout.recent.add(value, object)
    expect(new Entry(layout, 'k', value, 5).object).toBe(object)
    for (let i = 0; i < 300; i++) layout.recent.add(Buffer.from([i]), objectOf({}))
    expect(new Entry(layout, 'k', value, 5).object).not.toBe(object)
  })

  it('shows the same content under another revision without changing the first', () => {
    const entry = new Entry(layout, 'k', layout.encode(objectOf({ name: 'a' })), 5)
    const before = entry.object
    expect(entry.at(9).object.metadata.resourceVersion).toBe('9')
    expect(before.metadata.resourceVersion).toBe('5')
    expect(JSON.parse(entry.at(9).bytes().toString())).toMatchObject({ metadata: { resourceVersion: '9' } })
  })
})
