import type { Outcome } from './controller.ts'

/** After the shortest of these waits, in milliseconds; null and undefined are none. */
export function lookAgain(...waits: readonly (number | null | undefined)[]): Outcome {
  const real = waits.filter((wait) => typeof wait === 'number')
  return real.length > 0 ? { requeueAfter: Math.min(...real) } : undefined
}
