/**
 * Rules of our nftables table as data. Rules and element keys are in nft's own language (nft(8)); names are chains' and sets' own.
 * Two rulesets that are equal as data make equal tables.
 */

export interface Ruleset {
  readonly chains: ReadonlyMap<string, Chain>
  readonly sets: ReadonlyMap<string, NamedSet>
}

export interface Chain {
  /** Where packets enter: "type nat hook prerouting priority dstnat; policy accept;". Absent: other rules jump here. */
  readonly hook?: string
  readonly rules: readonly string[]
}

/** A set, a map or a verdict map. */
export interface NamedSet {
  readonly kind: 'set' | 'map'
  /** "type ipv4_addr . inet_service : verdict;" */
  readonly spec: string
  /** By key; the value is "" in a set. Null: packets fill it, and what they put there outlives changes around it. */
  readonly elements: ReadonlyMap<string, string> | null
}

export const EMPTY: Ruleset = { chains: new Map(), sets: new Map() }

/** The rulesets of several parts as one. Throws if two of them define the same name. */
export function mergeRulesets(parts: Iterable<Ruleset>): Ruleset {
  const chains = new Map<string, Chain>()
  const sets = new Map<string, NamedSet>()
  for (const part of parts) {
    for (const [name, chain] of part.chains) put(chains, name, chain)
    for (const [name, set] of part.sets) put(sets, name, set)
  }
  return { chains, sets }
}

function put<T>(into: Map<string, T>, name: string, value: T): void {
  if (into.has(name)) throw new Error(`two parts define ${name} in the nftables table`)
  into.set(name, value)
}

/** Keys that several owners may claim: the first in order of the owners' names has it. */
export class Claims<T> {
  readonly #held = new Map<string, { owner: string; value: T }>()
  readonly #refused: Refusal[] = []

  claim(key: string, owner: string, value: T): void {
    const known = this.#held.get(key)
    if (known && known.owner !== owner) {
      const wins = owner < known.owner
      this.#refused.push(wins ? { key, owner: known.owner, holder: owner } : { key, owner, holder: known.owner })
      if (!wins) return
    }
    this.#held.set(key, { owner, value })
  }

  /** Claims that lost, with who has the key. */
  get refused(): readonly Refusal[] {
    return this.#refused
  }

  *[Symbol.iterator](): Generator<[key: string, value: T]> {
    for (const [key, { value }] of this.#held) yield [key, value]
  }
}

export interface Refusal {
  readonly key: string
  readonly owner: string
  readonly holder: string
}
