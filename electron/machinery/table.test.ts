import { describe, expect, it } from 'vitest'
import type { Kind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { partialObjectMetadataList, toTable } from './table.ts'

interface Thing extends KubeObject {
  size: number
}
const kind: Pick<Kind<Thing>, 'columns'> = {
  columns: [
    { name: 'Size', type: 'integer', description: 'How big', value: ({ size }) => size },
    { name: 'Age', type: 'string', description: 'How old', priority: 1, value: (_thing, now) => `${now / 1000}s` },
  ],
}
const thing: Thing = {
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', uid: 'u', resourceVersion: '7', creationTimestamp: '2026-11-21T08:00:00Z' },
  size: 3,
}

describe('toTable', () => {
  it('has the name first and carries metadata', () => {
    const table = toTable(kind, [thing], { include: 'Metadata', now: 5000, metadata: { resourceVersion: '9' } })
    expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: '9' } })
    expect(table.columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority])).toEqual([
      ['Name', 'string', 'name', 0],
      ['Size', 'integer', '', 0],
      ['Age', 'string', '', 1],
    ])
    expect(table.rows).toEqual([
      { cells: ['a', 3, '5s'], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: thing.metadata } },
    ])
  })

  it('leaves the name to a kind that has a column for it, but not to a custom one', () => {
    const name = { name: 'Name', type: 'string', format: 'name', description: 'Its name', priority: 1, value: () => 'a!' } as const
    const own = { columns: [...kind.columns, name] }
    expect(toTable(own, [thing], { include: 'None', now: 0 }).rows).toEqual([{ cells: [3, '0s', 'a!'] }])
    const custom = { ...own, custom: { schema: {}, versions: [] } }
    expect(toTable(custom, [thing], { include: 'None', now: 0 }).rows).toEqual([{ cells: ['a', 3, '0s', 'a!'] }])
  })

  it('carries what is asked for', () => {
    expect(toTable(kind, [thing], { include: 'Object', now: 0 }).rows[0]?.object).toBe(thing)
    expect(toTable(kind, [thing], { include: 'None', now: 0 }).rows).toEqual([{ cells: ['a', 3, '0s'] }])
    expect(toTable(kind, [], { include: 'None', now: 0, describe: false }).columnDefinitions).toEqual([])
  })
})

describe('partialObjectMetadataList', () => {
  it('keeps metadata only', () => {
    expect(partialObjectMetadataList({ metadata: { continue: 'c' }, items: [thing] })).toEqual({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { continue: 'c' },
      items: [{ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: thing.metadata }],
    })
  })
})
