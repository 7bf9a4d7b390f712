import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, stored, updated } from '../../testing/rules.ts'
import { runtimeClass } from './runtime-class.ts'

describe('a runtime class', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['of a handler', { handler: 'runc', overhead: { podFixed: { cpu: '10m' } }, scheduling: { nodeSelector: { a: 'b' } } }, []],
    ['of a handler that is none', { handler: 'Run C' }, ['handler']],
    ['with overhead of nothing known', { handler: 'runc', overhead: { podFixed: { nothing: '1' } } }, ['overhead.limits[nothing]']],
    [
      'for nodes and taints that cannot be',
      { handler: 'runc', scheduling: { nodeSelector: { a: '-' }, tolerations: [{ operator: 'Exists', key: 'a', value: 'b' }] } },
      ['scheduling.nodeSelector', 'scheduling.tolerations[0]'],
    ],
  ])('%s', (_, manifest, fields) => {
    const errors = [...new Set(created(runtimeClass, manifest).errors.map((error) => error.slice(0, error.indexOf(': '))))]
    expect(errors).toHaveLength(fields.length)
    fields.forEach((field, i) => expect(errors[i]).toContain(field))
  })

  it('keeps its handler', () => {
    const old = stored(runtimeClass, { handler: 'runc' })
    expect(updated(runtimeClass, old, (object) => void (object.handler = 'other')).errors).toEqual([
      'handler: Invalid value: "other": field is immutable',
    ])
  })
})
