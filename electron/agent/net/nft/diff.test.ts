import { describe, expect, it } from 'vitest'
import { randomInt, seededRandom, type Random } from '../../../base/random.ts'
import { diffRulesets } from './diff.ts'
import { renderAnew, renderOver } from './render.ts'
import { mergeRulesets, Claims, EMPTY, type Chain, type NamedSet, type Ruleset } from './ruleset.ts'
import { TableModel } from './testing/table-model.ts'

const rules = (
  chains: Record<string, string[]>,
  sets: Record<string, [NamedSet['kind'], string, Record<string, string> | null]> = {},
): Ruleset => ({
  chains: new Map(Object.entries(chains).map(([name, list]): [string, Chain] => [name, { rules: list }])),
  sets: new Map(
    Object.entries(sets).map(([name, [kind, spec, elements]]): [string, NamedSet] => [
      name,
      { kind, spec, elements: elements && new Map(Object.entries(elements)) },
    ]),
  ),
})

/** Chains that jump to chains of higher numbers and look into maps, maps that lead to chains, sets that packets fill. */
function someRuleset(random: Random): Ruleset {
  const chains = new Map<string, Chain>()
  const sets = new Map<string, NamedSet>()
  const present = (from: string[]) => from.filter(() => random.float() < 0.7)
  const leaves = present(['leaf-0', 'leaf-1', 'leaf-2', 'leaf-3'])
  for (const leaf of leaves) {
    const filled = `seen-${leaf}`
    if (random.float() < 0.5) sets.set(filled, { kind: 'set', spec: 'type ipv4_addr; flags dynamic,timeout;', elements: null })
    chains.set(leaf, { rules: [...(sets.has(filled) ? [`update @${filled} { ip saddr }`] : []), `mark set ${randomInt(random, 3)}`] })
  }
  for (const map of present(['map-0', 'map-1'])) {
    const elements = new Map<string, string>()
    for (let key = 0; key < 6; key++) {
      const to = leaves[randomInt(random, leaves.length)]
      if (to !== undefined && random.float() < 0.6) elements.set(String(key), `goto ${to}`)
    }
    sets.set(map, { kind: 'map', spec: 'type inet_service : verdict;', elements })
  }
  const lookups = [...sets].filter(([, { kind }]) => kind === 'map').map(([name]) => `th dport vmap @${name}`)
  const jumps = leaves.filter(() => random.float() < 0.4).map((leaf) => `jump ${leaf}`)
  chains.set('entry', { hook: 'type filter hook input priority 0;', rules: [...lookups, ...jumps] })
  return { chains, sets }
}

describe('the difference of rulesets', () => {
  it('is nothing where nothing differs', () => {
    const one = someRuleset(seededRandom(1))
    expect(diffRulesets(one, structuredClone(one))).toEqual([])
  })

  it('changes one element where one differs', () => {
    const before = rules({ a: ['accept'], b: ['drop'] }, { m: ['map', 'type inet_service : verdict;', { 1: 'goto a', 2: 'goto a' }] })
    const after = rules({ a: ['accept'], b: ['drop'] }, { m: ['map', 'type inet_service : verdict;', { 1: 'goto a', 2: 'goto b' }] })
    expect(diffRulesets(before, after)).toEqual(['delete element ip flotilla m { 2 }', 'add element ip flotilla m { 2 : goto b }'])
  })

  it('leaves what packets have put into a set', () => {
    const dynamic = (rule: string) => rules({ a: [rule] }, { seen: ['set', 'type ipv4_addr; flags dynamic;', null] })
    expect(diffRulesets(dynamic('accept'), dynamic('drop'))?.join()).not.toMatch('seen')
  })

  it('is none where a hook or the type of a set changes', () => {
    const hooked = (hook: string): Ruleset => ({ chains: new Map([['a', { hook, rules: [] }]]), sets: new Map() })
    expect(diffRulesets(hooked('type filter hook input priority 0;'), hooked('type filter hook input priority 1;'))).toBeNull()
    const typed = (spec: string) => rules({}, { s: ['set', spec, {}] })
    expect(diffRulesets(typed('type ipv4_addr;'), typed('type inet_service;'))).toBeNull()
  })

  it('makes the table that a full write makes, in an order that never names what is not there', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed)
      const table = new TableModel()
      let present = someRuleset(random)
      table.apply(renderAnew(present))
      for (let step = 0; step < 12; step++) {
        const next = someRuleset(random)
        const change = diffRulesets(present, next)
        if (change === null) throw new Error('no type or hook differs here')
        table.apply(change)
        expect(table.content(), `seed ${seed}, step ${step}`).toEqual(new TableModel().apply(renderAnew(next)).content())
        present = next
      }
    }
  })
})

describe('a full write', () => {
  it('over a table of an earlier run makes the same table as one from nothing', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed)
      const [old, next] = [someRuleset(random), someRuleset(random)]
      const table = new TableModel().apply(renderAnew(old))
      const names = { chains: [...old.chains.keys()], sets: [...old.sets].map(([name, { kind }]) => ({ name, kind })) }
      expect(table.apply(renderOver(names, next)).content()).toEqual(new TableModel().apply(renderAnew(next)).content())
    }
  })

  it('of nothing leaves an empty table', () => {
    expect(new TableModel().apply(renderAnew(EMPTY)).content()).toEqual({ chains: {}, sets: {} })
  })
})

describe('parts of a ruleset', () => {
  it('must not define the same name', () => {
    expect(() => mergeRulesets([rules({ a: [] }), rules({ a: [] })])).toThrow('two parts define a')
  })

  it('give a key that two claim to the first by name, whoever comes first', () => {
    for (const order of [
      ['alpha', 'beta'],
      ['beta', 'alpha'],
    ]) {
      const claims = new Claims<string>()
      for (const owner of order) claims.claim('key', owner, `of ${owner}`)
      expect([...claims]).toEqual([['key', 'of alpha']])
      expect(claims.refused).toEqual([{ key: 'key', owner: 'beta', holder: 'alpha' }])
    }
  })
})
