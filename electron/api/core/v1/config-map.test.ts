import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { configMap } from './config-map.ts'
import type { ConfigMap } from './types.gen.ts'

const KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

describe('a config map', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['empty', {}, []],
    ['with text and bytes', { data: { 'a.b_C-1': '' }, binaryData: { b: 'AA==' } }, []],
    [
      'with keys that are no file names',
      { data: { 'a b': '', '..': '' } },
      [`data[a b]: Invalid value: "a b": ${KEY}`, 'data[..]: Invalid value: "..": must not be \'..\''],
    ],
    [
      'with one key twice',
      { data: { a: '' }, binaryData: { a: '' } },
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    ['with a mebibyte', { data: { a: 'x'.repeat(1024 * 1024 - 1) }, binaryData: { b: 'AA==' } }, []],
    [
      'with a byte more',
      { data: { a: 'é'.repeat(512 * 1024) }, binaryData: { b: 'AA==' } },
      [': Too long: may not be more than 1048576 bytes'],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(configMap, manifest).errors).toEqual(errors)
  })

  it.each<[what: string, change: (object: ConfigMap) => void, errors: string[]]>([
    ['labels', (object) => (object.metadata.labels = { a: 'b' }), []],
    ['the data', (object) => (object.data = { a: '2' }), ['data: Forbidden: field is immutable when `immutable` is set']],
    ['no data', (object) => delete object.data, ['data: Forbidden: field is immutable when `immutable` is set']],
    ['bytes', (object) => (object.binaryData = { b: '' }), ['binaryData: Forbidden: field is immutable when `immutable` is set']],
    ['that it stays', (object) => (object.immutable = false), ['immutable: Forbidden: field is immutable when `immutable` is set']],
  ])('that is immutable, changed in %s', (_, change, errors) => {
    expect(updated(configMap, stored(configMap, { immutable: true, data: { a: '1' } }), change).errors).toEqual(errors)
  })

  it('is shown with the number of its keys', () => {
    expect(row(configMap, stored(configMap, { data: { a: '', b: '' }, binaryData: { c: '' } }))).toEqual({ Data: 3, Age: '60m' })
  })
})
