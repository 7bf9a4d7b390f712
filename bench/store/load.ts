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
export function load(put: Put, writers: number, seconds: number): Promise<LoadResult> {
  const values = Array.from({ length: writers }, (_, writer) => Buffer.alloc(VALUE_SIZE, `value of writer ${writer} `))
  return loadWith((writer, turn) => put(keyOf(writer, turn), Buffer.from(values[writer] as Buffer)), writers, seconds)
}

export function keyOf(writer: number, turn: number): string {
  return `/registry/pods/default/writer-${writer}-${turn % KEYS_EACH}`
}

/** `workers` at a time do one thing after the other for about `seconds`, after a tenth of that to warm up; each thing counts as a write. */
export async function loadWith(
  work: (worker: number, turn: number) => Promise<unknown>,
  workers: number,
  seconds: number,
): Promise<LoadResult> {
  await phase(work, workers, seconds / 10)
  return phase(work, workers, seconds)
}

async function phase(work: (worker: number, turn: number) => Promise<unknown>, workers: number, seconds: number): Promise<LoadResult> {
  const latencies: number[] = []
  const began = performance.now()
  const end = began + seconds * 1000
  const goOn = async (worker: number) => {
    for (let turn = 0; performance.now() < end; turn++) {
      const at = performance.now()
      await work(worker, turn)
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => goOn(worker)))
  const took = (performance.now() - began) / 1000
  return { writes: latencies.length, seconds: took, ...quantiles(latencies) }
}

/** Of milliseconds. */
export function quantiles(latencies: readonly number[]): { p50: number; p99: number } {
  const sorted = Float64Array.from(latencies).sort()
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
  return { p50: quantile(0.5), p99: quantile(0.99) }
}
