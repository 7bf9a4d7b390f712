import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeFieldValue, parseFieldRequirements, parseFieldSelector, type SelectableKind } from './field-selector.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'

fc.configureGlobal({ seed: 1 })

const plain: SelectableKind = { selectableFields: {} }
const phased: SelectableKind = { selectableFields: { 'status.phase': (object) => (object as KubeObject & { phase: string }).phase } }
const object = (name: string, namespace?: string, phase = ''): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name, namespace, uid: '', resourceVersion: '', creationTimestamp: '' },
    phase,
  }) as KubeObject

describe('parseFieldSelector', () => {
  it('matches names, namespaces and the fields of the kind', () => {
    const selector = parseFieldSelector('metadata.namespace=prod,status.phase!=Running,metadata.name==a', phased)
    expect(selector.matches(object('a', 'prod', 'Pending'))).toBe(true)
    expect(selector.matches(object('a', 'prod', 'Running'))).toBe(false)
    expect(selector.matches(object('b', 'prod', 'Pending'))).toBe(false)
    expect(selector.matches(object('a', undefined, 'Pending'))).toBe(false)
    expect(selector.exact('metadata.name')).toBe('a')
    expect(selector.exact('status.phase')).toBeUndefined()
    expect(selector.toString()).toBe('metadata.name=a,metadata.namespace=prod,status.phase!=Running')
  })

  it('matches everything when empty', () => {
    expect(parseFieldSelector('', plain).everything).toBe(true)
    expect(parseFieldSelector(',', plain).matches(object('a'))).toBe(true)
  })

  it('knows no field by inheritance', () => {
    expect(() => parseFieldSelector('constructor=x', plain)).toThrow(/is not a known field selector/)
  })

  it.each([
    ['spec.x=1', plain, '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    ['spec.x=1', phased, 'field label not supported: spec.x'],
    ['metadata.name', plain, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['metadata.name=a=b', plain, 'invalid field selector: unescaped character in value: 61'],
    ['metadata.name=a\\x', plain, 'invalid field selector: invalid escape sequence: \\x'],
    ['metadata.name=a\\', plain, 'invalid field selector: invalid escape sequence: \\'],
  ])('refuses %j', (text, kind, message) => {
    expect(() => parseFieldSelector(text, kind)).toThrow(expect.objectContaining({ message, reason: 'BadRequest' }))
  })

  it('reads back any escaped value', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ',', '=', '\\', '!', ' ') }), (value) => {
        expect(parseFieldRequirements(`metadata.name!=${escapeFieldValue(value)},b=`)).toContainEqual({
          field: 'metadata.name',
          operator: '!=',
          value,
        })
      }),
    )
  })
})
