/**
 * Pods that replace failed ones wait 10 s, 20 s, 40 s, … up to 10 minutes; a pod that succeeds ends the row. Source: kubernetes
 * `pkg/controller/job/backoff_utils.go`. All times are in milliseconds.
 */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { endOf } from './pod-facts.ts'

const FIRST = 10_000
const LONGEST = 10 * 60_000

/** Failures since the last success. */
export interface FailureRow {
  readonly failures: number
  /** Since the epoch; null if there are none. */
  readonly last: number | null
}

export const NO_FAILURES: FailureRow = { failures: 0, last: null }

/** The row once pods that ended since are counted. */
export function afterEnds(row: FailureRow, succeeded: readonly Pod[], failed: readonly Pod[]): FailureRow {
  const success = Math.max(Number.NEGATIVE_INFINITY, ...succeeded.map(endOf))
  const ends = failed.map(endOf).filter((end) => end > success)
  const base = succeeded.length > 0 ? NO_FAILURES : row
  if (ends.length === 0) return base
  return { failures: base.failures + ends.length, last: Math.max(base.last ?? 0, ...ends) }
}

/** How long a next pod must still wait. */
export function untilRetry({ failures, last }: FailureRow, now: number): number {
  if (failures === 0 || last === null) return 0
  const wait = Math.min(LONGEST, FIRST * 2 ** Math.min(failures - 1, 30))
  return Math.max(0, last + wait - now)
}
