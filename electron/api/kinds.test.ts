import { describe, expect, it } from 'vitest'
import { groupResource } from './kind.ts'
import { KINDS } from './kinds.gen.ts'
import { FACTS, propertiesOf } from './schema/facts.ts'
import { created, decoded, row } from './testing/rules.ts'
import { nameIsDnsLabel } from './values/names.ts'

const NAMED = KINDS.map((kind) => [groupResource(kind), kind] as const)

describe('all kinds together', () => {
  it('have resources, kinds and short names of their own', () => {
    const unique = (names: string[]) => expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([])
    // Other shapes of the same objects answer to the same names.
    const stored = KINDS.filter(({ storedAs }) => !storedAs)
    unique(stored.map(groupResource))
    unique(stored.map(({ group, kind }) => `${kind}.${group}`))
    unique(stored.flatMap(({ shortNames }) => [...shortNames]))
  })
})

describe.each(NAMED)('%s', (_, kind) => {
  it('has a model in the schema facts', () => {
    expect(FACTS[kind.model]).toBeDefined()
    expect(Object.keys(propertiesOf(kind.model))).toContain('metadata')
    expect(nameIsDnsLabel(kind.resource)).toEqual([])
  })

  it('has a status in its model if it has one as a subresource', () => {
    if ('status' in kind.subresources) expect(Object.keys(propertiesOf(kind.model))).toContain('status')
  })

  it('survives an object that says nothing', () => {
    const { object } = created(kind)
    expect(kind.strategy.warnings?.(object, null) ?? []).toBeInstanceOf(Array)
    for (const value of Object.values(row(kind, object))) expect(value).not.toBeUndefined()
    for (const read of Object.values(kind.selectableFields)) expect(typeof read(object)).toBe('string')
  })

  it('has defaults that change nothing the second time', () => {
    const once = decoded(kind)
    const twice = structuredClone(once)
    kind.strategy.defaults?.(twice)
    expect(twice).toEqual(once)
  })

  it('describes its columns', () => {
    for (const { name, description } of kind.columns) expect(name && description).toBeTruthy()
    expect(new Set(kind.columns.map(({ name }) => name)).size).toBe(kind.columns.length)
  })
})
