/**
 * Sums of what cohorts count, by topology key and domain. What the snapshot counts is looked up, not copied; changes in thought are
 * kept beside it.
 */
type Counts = ReadonlyMap<string, number>

interface Entry {
  readonly parts: { readonly counts: Counts; readonly weight: number }[]
  changes: Counts | null
}

/** More parts than this are added up once, instead of at each look. */
const MANY = 4

export class Tally {
  readonly #byKey = new Map<string, Entry>()

  get keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  /** Whether nothing was counted at all. */
  get isEmpty(): boolean {
    for (const { parts, changes } of this.#byKey.values()) {
      if (!changes) {
        if (parts.length > 0) return false
        continue
      }
      const sums = addUp([...parts, { counts: changes, weight: 1 }])
      for (const count of sums.values()) if (count !== 0) return false
    }
    return true
  }

  /** Parts that count nothing are left out. */
  add(key: string, counts: Counts, weight = 1): void {
    if (counts.size === 0) return
    const entry = this.#entry(key)
    entry.parts.push({ counts, weight })
    if (entry.parts.length <= MANY) return
    const sums = addUp(entry.parts)
    entry.parts.length = 0
    entry.parts.push({ counts: sums, weight: 1 })
  }

  change(key: string, domain: string | undefined, by: number): void {
    if (domain === undefined) return
    const entry = this.#entry(key)
    entry.changes = new Map(entry.changes).set(domain, (entry.changes?.get(domain) ?? 0) + by)
  }

  get(key: string, domain: string): number {
    const entry = this.#byKey.get(key)
    if (!entry) return 0
    let sum = entry.changes?.get(domain) ?? 0
    for (const { counts, weight } of entry.parts) sum += weight * (counts.get(domain) ?? 0)
    return sum
  }

  copy(): Tally {
    const copy = new Tally()
    for (const [key, { parts, changes }] of this.#byKey) copy.#byKey.set(key, { parts, changes })
    return copy
  }

  #entry(key: string): Entry {
    let entry = this.#byKey.get(key)
    if (!entry) this.#byKey.set(key, (entry = { parts: [], changes: null }))
    return entry
  }
}

function addUp(parts: Entry['parts']): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { counts, weight } of parts) {
    for (const [domain, count] of counts) sums.set(domain, (sums.get(domain) ?? 0) + weight * count)
  }
  return sums
}
