import { addChain, addElements, addRules, addSet, deleteElements, TABLE } from './render.ts'
import type { Chain, NamedSet, Ruleset } from './ruleset.ts'

/**
 * Commands that make a table of `before` one of `after`, in an order in which nothing names what is not there yet or no longer.
 * Null where a hook or the type of a set changes, which nftables cannot do in place.
 */
export function diffRulesets(before: Ruleset, after: Ruleset): string[] | null {
  for (const [name, chain] of after.chains) {
    const known = before.chains.get(name)
    if (known && known.hook !== chain.hook) return null
  }
  for (const [name, set] of after.sets) {
    const known = before.sets.get(name)
    if (known && (known.kind !== set.kind || known.spec !== set.spec)) return null
  }
  const added = <T>(from: ReadonlyMap<string, T>, to: ReadonlyMap<string, T>) => [...to].filter(([name]) => !from.has(name))
  const newChains = added(before.chains, after.chains)
  const oldChains = added(after.chains, before.chains).map(([name]) => name)
  const newSets = added(before.sets, after.sets)
  const oldSets = added(after.sets, before.sets)
  const changedChains = [...after.chains].filter(([name, chain]) => {
    const known = before.chains.get(name)
    return known !== undefined && known !== chain && !sameRules(known, chain)
  })
  const removedElements: string[] = []
  const addedElements: string[] = []
  for (const [name, set] of after.sets) {
    const { gone, come } = diffElements(before.sets.get(name), set)
    removedElements.push(...deleteElements(name, gone))
    addedElements.push(...addElements(name, come))
  }
  return [
    ...newChains.map(([name, chain]) => addChain(name, chain)),
    ...newSets.map(([name, set]) => addSet(name, set)),
    ...[...changedChains.map(([name]) => name), ...oldChains].map((name) => `flush chain ${TABLE} ${name}`),
    ...removedElements,
    ...oldSets.map(([name, { kind }]) => `flush ${kind} ${TABLE} ${name}`),
    ...oldSets.map(([name, { kind }]) => `delete ${kind} ${TABLE} ${name}`),
    ...addedElements,
    ...[...newChains, ...changedChains].flatMap(([name, { rules }]) => addRules(name, rules)),
    ...oldChains.map((name) => `delete chain ${TABLE} ${name}`),
  ]
}

function sameRules(a: Chain, b: Chain): boolean {
  return a.rules.length === b.rules.length && a.rules.every((rule, i) => rule === b.rules[i])
}

function diffElements(before: NamedSet | undefined, after: NamedSet): { gone: string[]; come: Map<string, string> } {
  const come = new Map<string, string>()
  const gone: string[] = []
  const wanted = after.elements
  const known = before?.elements
  if (!wanted || wanted === known) return { gone, come }
  for (const [key, value] of wanted) {
    const old = known?.get(key)
    if (old === value) continue
    if (old !== undefined) gone.push(key)
    come.set(key, value)
  }
  for (const key of known?.keys() ?? []) if (!wanted.has(key)) gone.push(key)
  return { gone, come }
}
