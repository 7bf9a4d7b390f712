/** Kubernetes' two timestamps (apimachinery `meta/v1` Time and MicroTime): RFC 3339, UTC. Instants are milliseconds since the epoch. */
import type { MicroTime, Time } from '../meta/v1/object.ts'
import { humanDuration } from './duration.ts'

/** Whole seconds, rounded down. */
export function formatTime(ms: number): Time {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`
}

/** Six decimals; a fraction of a millisecond in `ms` is kept. */
export function formatMicroTime(ms: number): MicroTime {
  const micros = Math.floor(ms * 1000)
  const second = Math.floor(micros / 1_000_000)
  const rest = micros - second * 1_000_000
  return `${new Date(second * 1000).toISOString().slice(0, 19)}.${String(rest).padStart(6, '0')}Z`
}

/** How long ago, as kubectl prints it; "<unknown>" for what is absent or no time. */
export function age(since: Time | undefined | null, now: number): string {
  const then = since ? Date.parse(since) : Number.NaN
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then)
}
