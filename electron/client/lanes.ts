/** Runs tasks several at a time, and those of one key one after the other, in the order in which they were given. */
export class Lanes {
  readonly #limit: number
  /** By key: what has not ended yet, the first of it running or about to. */
  readonly #lanes = new Map<string, (() => Promise<void>)[]>()
  /** Keys of which nothing runs, in the order of their turn. */
  readonly #ready: string[] = []
  #running = 0

  /** At most `limit` tasks run at a time. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Ends as the task does. */
  run(key: string, task: () => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const step = () => task().then(resolve, reject)
    const lane = this.#lanes.get(key)
    if (lane) lane.push(step)
    else {
      this.#lanes.set(key, [step])
      this.#ready.push(key)
      this.#next()
    }
    return promise
  }

  #next(): void {
    while (this.#running < this.#limit) {
      const key = this.#ready.shift()
      if (key === undefined) return
      this.#running++
      void this.#step(key)
    }
  }

  async #step(key: string): Promise<void> {
    const lane = this.#lanes.get(key) ?? []
    await lane[0]?.()
    lane.shift()
    this.#running--
    if (lane.length > 0) this.#ready.push(key)
    else this.#lanes.delete(key)
    this.#next()
  }
}
