/** How many matching pods each domain has, and which have the fewest. Source: `plugins/podtopologyspread/filtering.go`. */

interface Path {
  readonly domain: string
  readonly count: number
}

type Counts = ReadonlyMap<string, number>

const NO_CHANGES: Counts = new Map()
const NOWHERE: Path = Object.freeze({ domain: '', count: Number.MAX_SAFE_INTEGER })

/**
 * The counts of one constraint. What the snapshot counts already is not copied; changes in thought are kept beside it. Of the domains
 * with the fewest pods two are kept: enough as long as all changes are on one node, as they are when preemption is tried.
 */
export class DomainCounts {
  readonly #domains: ReadonlyMap<string, unknown>
  readonly #base: Counts
  #changes: Counts = NO_CHANGES
  #fewest: readonly [Path, Path]

  /** Only `domains` count; those that `base` lacks have no pods. */
  constructor(domains: ReadonlyMap<string, unknown>, base: Counts, fewest: readonly [Path, Path] = fewestOf(domains, base)) {
    this.#domains = domains
    this.#base = base
    this.#fewest = fewest
  }

  /** How many domains there are. */
  get size(): number {
    return this.#domains.size
  }

  get fewest(): number {
    return this.#fewest[0].count
  }

  get(domain: string): number {
    const count = this.#domains.has(domain) ? (this.#base.get(domain) ?? 0) : 0
    return this.#changes.size ? count + (this.#changes.get(domain) ?? 0) : count
  }

  change(domain: string, by: 1 | -1): void {
    this.#changes = new Map(this.#changes).set(domain, (this.#changes.get(domain) ?? 0) + by)
    const path = { domain, count: this.get(domain) }
    const [first, second] = this.#fewest
    if (first.domain === domain) this.#fewest = path.count > second.count ? [second, path] : [path, second]
    else if (second.domain === domain) this.#fewest = first.count > path.count ? [path, first] : [first, path]
    else if (path.count < first.count) this.#fewest = [path, first]
    else if (path.count < second.count) this.#fewest = [first, path]
  }

  copy(): DomainCounts {
    const copy = new DomainCounts(this.#domains, this.#base, this.#fewest)
    copy.#changes = this.#changes
    return copy
  }
}

/** Nothing is less than none: with two empty domains found the rest need not be looked at. */
function fewestOf(domains: ReadonlyMap<string, unknown>, base: Counts): [Path, Path] {
  let [first, second] = [NOWHERE, NOWHERE]
  for (const domain of domains.keys()) {
    const path = { domain, count: base.get(domain) ?? 0 }
    if (path.count < first.count) [first, second] = [path, first]
    else if (path.count < second.count) second = path
    if (second.count === 0) break
  }
  return [first, second]
}
