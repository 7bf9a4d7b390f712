import { describe, expect, it } from 'vitest'
import { NAV } from '../../frame/nav.ts'
import { KNOWN, MACHINES, PODS } from '../../kube/resources.ts'
import { listDef } from './defs.ts'

describe('lists', () => {
  it.each(KNOWN.filter((resource) => resource !== PODS && resource !== MACHINES).map((resource) => [resource.resource, resource] as const))(
    'has one of %s, which links to kinds that are known lead to',
    (plural, resource) => expect(listDef(plural)?.resource).toBe(resource),
  )

  it('are what the sidebar leads to', () => {
    const lists = NAV.flatMap((group) => group.entries).flatMap(({ to }) =>
      typeof to === 'object' && 'name' in to && to.name === 'list' ? [String((to.params as { resource: string }).resource)] : [],
    )
    expect(lists.length).toBeGreaterThan(20)
    expect(lists.filter((resource) => !listDef(resource))).toEqual([])
  })

  it('give no letter to two entries of the sidebar', () => {
    const keys = NAV.flatMap((group) => group.entries).flatMap(({ key }) => (key ? [key] : []))
    expect(new Set(keys).size).toBe(keys.length)
  })
})
