export interface SlowStart {
  readonly succeeded: number
  /** How often it was tried at all. */
  readonly begun: number
  /** The first failure. */
  readonly error?: unknown
}

/**
 * Does something `count` times, in batches of 1, 2, 4, … in parallel, so that what fails for one reason (a quota, say) fails few
 * times. After a batch with a failure no other begins.
 */
export async function slowStart(count: number, task: (index: number) => Promise<unknown>): Promise<SlowStart> {
  let succeeded = 0
  let begun = 0
  for (let batch = Math.min(1, count); batch > 0; batch = Math.min(2 * batch, count - begun)) {
    const first = begun
    begun += batch
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => task(first + i)))
    const failed = results.find((result) => result.status === 'rejected')
    succeeded += results.filter(({ status }) => status === 'fulfilled').length
    if (failed) return { succeeded, begun, error: failed.reason }
  }
  return { succeeded, begun }
}
