/** How often a value was within each of some bounds. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  /** `bounds` ascend; what is above the last is counted too. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length).fill(0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count++
    for (let i = 0; i < this.#bounds.length; i++) {
      if (value > (this.#bounds[i] ?? 0)) continue
      this.#counts[i] = (this.#counts[i] ?? 0) + 1
      break
    }
  }

  /** In Prometheus' text format; `labels` as they are shown. */
  *lines(name: string, labels: string): Generator<string> {
    const before = labels ? `${labels},` : ''
    const own = labels ? `{${labels}}` : ''
    let below = 0
    for (const [i, n] of this.#counts.entries()) yield `${name}_bucket{${before}le="${this.#bounds[i]}"} ${(below += n)}`
    yield `${name}_bucket{${before}le="+Inf"} ${this.#count}`
    yield `${name}_sum${own} ${this.#sum}`
    yield `${name}_count${own} ${this.#count}`
  }
}
