import type { StoreError, Watcher } from '../store.ts'

/** A watcher that never was: it says why, once. */
export function refused(error: StoreError): Watcher {
  const created = Promise.reject<{ revision: number }>(error)
  created.catch(() => undefined)
  let told = false
  return {
    created,
    requestProgress() {},
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (told) return { value: undefined, done: true }
        told = true
        throw error
      },
    }),
    async [Symbol.asyncDispose]() {
      told = true
    },
  }
}
