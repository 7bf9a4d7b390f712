export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function deferred<T>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  return { promise, resolve, reject }
}

/** Rejects when the signal aborts; never resolves. Already-aborted signals reject at once. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** True for what `AbortSignal` throws: the caller gave up, which is no fault. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/**
 * A queue between one producer and one consumer. `push` never blocks; when more than `limit` items wait the queue fails with
 * `overflow`, so that a slow reader is told instead of holding memory for ever.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T, undefined>, Disposable {
  #items: T[] = []
  #head = 0
  readonly #limit: number
  readonly #overflow: () => Error
  #waiting: Deferred<IteratorResult<T, undefined>> | null = null
  #ended = false
  #error: unknown = null

  constructor(options: { limit?: number; overflow?: () => Error } = {}) {
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY
    this.#overflow = options.overflow ?? (() => new Error('queue overflow'))
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get ended(): boolean {
    return this.#ended
  }

  push(item: T): void {
    if (this.#ended) return
    if (this.#waiting) {
      this.#waiting.resolve({ value: item, done: false })
      this.#waiting = null
      return
    }
    if (this.length >= this.#limit) {
      this.#drop()
      this.fail(this.#overflow())
      return
    }
    this.#items.push(item)
  }

  /** No more items: the consumer gets what waits, then the end. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#waiting?.resolve({ value: undefined, done: true })
    this.#waiting = null
  }

  /** The consumer gets what waits, then the error. */
  fail(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#waiting) {
      this.#waiting.reject(error)
      this.#waiting = null
    } else this.#error = error
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.length > 0) return { value: this.#take(), done: false }
    if (this.#error !== null) {
      const error = this.#error
      this.#error = null
      throw error
    }
    if (this.#ended) return { value: undefined, done: true }
    if (this.#waiting) throw new Error('AsyncQueue has one consumer at a time')
    this.#waiting = deferred()
    return this.#waiting.promise
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this[Symbol.dispose]()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.#drop()
    this.end()
  }

  #take(): T {
    const item = this.#items[this.#head++] as T
    if (this.#head === this.#items.length) this.#drop()
    else if (this.#head >= 1024) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  #drop(): void {
    this.#items = []
    this.#head = 0
  }
}

/** Runs tasks one at a time, in the order they were given. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(task, task)
    this.#tail = result.catch(() => undefined)
    return result
  }
}

/** Runs `task` for each item, at most `limit` at a time; the first rejection is thrown after those under way have ended. */
export async function mapLimit<T, R>(items: readonly T[], limit: number, task: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  let failed: { error: unknown } | null = null
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next++
      try {
        results[index] = await task(items[index] as T, index)
      } catch (error) {
        failed ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (failed) throw (failed as { error: unknown }).error
  return results
}
