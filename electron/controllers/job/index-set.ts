/**
 * Completion indexes as a Job's status writes them, in sorted runs: "1,3-5,7". A job of many indexes has few runs, so nothing here
 * grows with the indexes themselves. Source: kubernetes `pkg/controller/job/indexed_job_utils.go`.
 */
interface Run {
  readonly first: number
  readonly last: number
}

export class IndexSet {
  /** Sorted; neither overlapping nor touching. */
  readonly #runs: readonly Run[]

  private constructor(runs: readonly Run[]) {
    this.#runs = runs
  }

  static of(indexes: Iterable<number>): IndexSet {
    return IndexSet.#join([...indexes].map((index) => ({ first: index, last: index })))
  }

  /** Without those from `limit` on, which a job that was made smaller no longer has; what is no number is left out. */
  static parse(text: string | undefined, limit: number): IndexSet {
    const runs: Run[] = []
    for (const part of (text ?? '').split(',').filter(Boolean)) {
      const [first = '', last = first] = part.split('-')
      if (!/^\d+$/.test(first) || !/^\d+$/.test(last) || Number(first) >= limit) continue
      runs.push({ first: Number(first), last: Math.min(Number(last), limit - 1) })
    }
    return IndexSet.#join(runs)
  }

  static #join(runs: readonly Run[]): IndexSet {
    const joined: Run[] = []
    for (const run of [...runs].sort((a, b) => a.first - b.first)) {
      const before = joined.at(-1)
      if (before && run.first <= before.last + 1) joined[joined.length - 1] = { ...before, last: Math.max(before.last, run.last) }
      else joined.push(run)
    }
    return new IndexSet(joined)
  }

  get size(): number {
    return this.#runs.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  }

  has(index: number): boolean {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#runs[middle]?.last ?? 0) < index) low = middle + 1
      else high = middle
    }
    const run = this.#runs[low]
    return run !== undefined && run.first <= index
  }

  union(other: IndexSet): IndexSet {
    return IndexSet.#join([...this.#runs, ...other.#runs])
  }

  /** How many indexes both have. */
  common(other: IndexSet): number {
    let sum = 0
    for (let i = 0, j = 0; i < this.#runs.length && j < other.#runs.length;) {
      const [a, b] = [this.#runs[i] as Run, other.#runs[j] as Run]
      sum += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1)
      if (a.last < b.last) i++
      else j++
    }
    return sum
  }

  /** The first `count` of the indexes below `limit` that are not here. */
  missing(count: number, limit: number): number[] {
    const out: number[] = []
    let next = 0
    for (const { first, last } of [...this.#runs, { first: limit, last: limit }]) {
      for (; next < Math.min(first, limit) && out.length < count; next++) out.push(next)
      next = last + 1
    }
    return out
  }

  toString(): string {
    return this.#runs.map(({ first, last }) => (first === last ? `${first}` : `${first}${last - first > 1 ? '-' : ','}${last}`)).join(',')
  }
}
