/** The same load for both stores: so many writers, each of which waits for its write before it makes the next. */

export const VALUE_SIZE = 1024
/** Each writer goes round so many keys of its own. */
const KEYS_EACH = 50

export interface LoadResult {
  readonly writes: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export type Put = (key: string, value: Uint8Array) => Promise<unknown>

/** Writes for about `seconds`, after a tenth of that to warm up. */
export async function load(put: Put, writers: number, seconds: number): Promise<LoadResult> {
  await phase(put, writers, seconds / 10)
  return phase(put, writers, seconds)
}

async function phase(put: Put, writers: number, seconds: number): Promise<LoadResult> {
  const latencies: number[] = []
  const began = performance.now()
  const end = began + seconds * 1000
  const write = async (writer: number) => {
    const value = Buffer.alloc(VALUE_SIZE, `value of writer ${writer} `)
    for (let i = 0; performance.now() < end; i++) {
      const at = performance.now()
      await put(`/registry/pods/default/writer-${writer}-${i % KEYS_EACH}`, Buffer.from(value))
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, i) => write(i)))
  const took = (performance.now() - began) / 1000
  const sorted = Float64Array.from(latencies).sort()
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
  return { writes: latencies.length, seconds: took, p50: quantile(0.5), p99: quantile(0.99) }
}
