/** Values at a fixed pace: the newest ones, older ones leave. Missing ones are NaN. */

export interface RingState {
  /** Number of the step after the newest value. */
  readonly end: number
  /** The values up to it, oldest first. */
  readonly values: Float32Array
}

const FIRST = 16

export class Ring {
  readonly #capacity: number
  /** Grows with what is kept, up to the capacity: most pods live shortly. */
  #values: Float32Array
  #end = 0
  #size = 0

  constructor(capacity: number, state?: RingState) {
    this.#capacity = capacity
    this.#values = new Float32Array(Math.min(capacity, FIRST)).fill(Number.NaN)
    if (!state) return
    const values = state.values.subarray(Math.max(0, state.values.length - capacity))
    for (const [i, value] of values.entries()) this.set(state.end - values.length + i, value)
  }

  get bytes(): number {
    return this.#values.byteLength
  }
  get end(): number {
    return this.#end
  }

  /** Steps that were left out have no value; a step that has left is not taken. */
  set(step: number, value: number): void {
    if (this.#size === 0) this.#end = step
    if (step < this.#end - this.#size) return
    if (step < this.#end) {
      this.#values[step % this.#values.length] = value
      return
    }
    const gap = step - this.#end
    if (gap >= this.#capacity) {
      this.#values.fill(Number.NaN)
      this.#size = 0
    } else for (let missing = this.#end; missing < step; missing++) this.#push(missing, Number.NaN)
    this.#push(step, value)
  }

  get(step: number): number {
    return step >= this.#end || step < this.#end - this.#size ? Number.NaN : (this.#values[step % this.#values.length] ?? Number.NaN)
  }

  state(): RingState {
    const start = this.#end - this.#size
    return { end: this.#end, values: Float32Array.from({ length: this.#size }, (_, i) => this.get(start + i)) }
  }

  #push(step: number, value: number): void {
    if (this.#size === this.#values.length && this.#size < this.#capacity) this.#grow()
    this.#values[step % this.#values.length] = value
    this.#end = step + 1
    this.#size = Math.min(this.#size + 1, this.#values.length)
  }

  #grow(): void {
    const { end, values } = this.state()
    this.#values = new Float32Array(Math.min(this.#capacity, this.#values.length * 2)).fill(Number.NaN)
    const start = end - values.length
    for (const [i, value] of values.entries()) this.#values[(start + i) % this.#values.length] = value
  }
}
