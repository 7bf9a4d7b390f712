/** Rulesets as commands of nft(8), one a line; all lines together are meant as one transaction. */
import type { Chain, NamedSet, Ruleset } from './ruleset.ts'

/** Family and name. */
export const TABLE = 'ip flotilla'

/** Names of what a table holds at the moment. */
export interface TableNames {
  readonly chains: readonly string[]
  readonly sets: readonly { readonly name: string; readonly kind: NamedSet['kind'] }[]
}

/** From nothing, or instead of whatever is there. */
export function renderAnew(rules: Ruleset): string[] {
  return [`add table ${TABLE}`, `delete table ${TABLE}`, `add table ${TABLE}`, ...definitions(rules), ...contents(rules)]
}

/** Over a table that is there: what packets have put into sets stays, everything else becomes as wanted. */
export function renderOver(present: TableNames, rules: Ruleset): string[] {
  const kept = present.sets.filter(({ name, kind }) => rules.sets.get(name)?.kind === kind)
  const stale = present.sets.filter((set) => !kept.includes(set))
  return [
    `flush table ${TABLE}`,
    ...stale.map(({ name, kind }) => `flush ${kind} ${TABLE} ${name}`),
    ...kept.flatMap(({ name, kind }) => (rules.sets.get(name)?.elements ? [`flush ${kind} ${TABLE} ${name}`] : [])),
    ...stale.map(({ name, kind }) => `delete ${kind} ${TABLE} ${name}`),
    ...present.chains.filter((name) => !rules.chains.has(name)).map((name) => `delete chain ${TABLE} ${name}`),
    ...definitions(rules),
    ...contents(rules),
  ]
}

/** Chains before sets: elements of verdict maps name them. */
function definitions({ chains, sets }: Ruleset): string[] {
  return [...[...chains].map(([name, chain]) => addChain(name, chain)), ...[...sets].map(([name, set]) => addSet(name, set))]
}

function contents({ chains, sets }: Ruleset): string[] {
  return [
    ...[...sets].flatMap(([name, { elements }]) => (elements ? addElements(name, elements) : [])),
    ...[...chains].flatMap(([name, { rules }]) => addRules(name, rules)),
  ]
}

export function addChain(name: string, { hook }: Chain): string {
  return hook === undefined ? `add chain ${TABLE} ${name}` : `add chain ${TABLE} ${name} { ${hook} }`
}

export function addRules(chain: string, rules: readonly string[]): string[] {
  return rules.map((rule) => `add rule ${TABLE} ${chain} ${rule}`)
}

export function addSet(name: string, { kind, spec }: NamedSet): string {
  return `add ${kind} ${TABLE} ${name} { ${spec} }`
}

export function addElements(set: string, elements: ReadonlyMap<string, string>): string[] {
  return inChunks([...elements].map(([key, value]) => (value === '' ? key : `${key} : ${value}`))).map(
    (list) => `add element ${TABLE} ${set} { ${list} }`,
  )
}

export function deleteElements(set: string, keys: readonly string[]): string[] {
  return inChunks(keys).map((list) => `delete element ${TABLE} ${set} { ${list} }`)
}

const CHUNK = 500

function inChunks(items: readonly string[]): string[] {
  const out: string[] = []
  for (let at = 0; at < items.length; at += CHUNK) out.push(items.slice(at, at + CHUNK).join(', '))
  return out
}
