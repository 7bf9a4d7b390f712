/** Lets those who want the same key wait for each other, in the order they came. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  busy(key: string): boolean {
    return this.#tails.has(key)
  }

  async acquire(key: string): Promise<Disposable> {
    const before = this.#tails.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tails.set(key, promise)
    await before
    return {
      [Symbol.dispose]: () => {
        if (this.#tails.get(key) === promise) this.#tails.delete(key)
        resolve()
      },
    }
  }
}
