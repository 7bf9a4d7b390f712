import { shortHumanDuration } from '../../../electron/api/values/duration.ts'
import { language } from '../i18n/language.ts'
import { decimal } from '../i18n/numbers.ts'

/** Milliseconds since the epoch, or null for what is absent or no time. */
export function instant(time: string | undefined | null): number | null {
  const ms = time ? Date.parse(time) : Number.NaN
  return Number.isNaN(ms) ? null : ms
}

/** For tables: "9s", "19m", "2d". Clocks of machines differ a little: what lies just ahead is "0s". */
export function shortAge(time: string | undefined | null, now: number): string {
  const then = instant(time)
  return then === null ? '–' : shortHumanDuration(Math.max(0, now - then))
}

/**
 * How long something took or takes: "0.4 s", "53.1 s", "2 min 5 s", "3 h 20 min". The units are the SI's symbols, which are the same
 * in every language and in every case.
 */
export function elapsed(ms: number): string {
  if (ms < 0) return `${decimal('0.0')} s`
  if (ms < 60_000) return `${decimal((ms / 1000).toFixed(1))} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** In sentences, without false precision: "9 s", "19 min", "3 h", "21 d". */
export function longAge(time: string | undefined | null, now: number): string {
  const then = instant(time)
  if (then === null) return '–'
  const seconds = Math.max(0, Math.floor((now - then) / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

const two = (n: number) => String(n).padStart(2, '0')

/** Local time of day, "14:51:02"; with `millis` "14:51:02.306". */
export function clockTime(ms: number, millis = false): string {
  const d = new Date(ms)
  const base = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`
  return millis ? `${base}.${String(d.getMilliseconds()).padStart(3, '0')}` : base
}

/** "14:32" today, else "Nov 20, 14:32" or "20. Nov., 14:32". */
export function dayTime(time: string | undefined | null, now: number): string {
  const ms = instant(time)
  if (ms === null) return '–'
  const d = new Date(ms)
  const hours = `${two(d.getHours())}:${two(d.getMinutes())}`
  if (new Date(now).toDateString() === d.toDateString()) return hours
  return `${new Intl.DateTimeFormat(language.value, { month: 'short', day: 'numeric' }).format(d)}, ${hours}`
}

/** "2026-11-21 14:32:07", local. */
export function fullTime(time: string | undefined | null): string {
  const ms = instant(time)
  if (ms === null) return ''
  const d = new Date(ms)
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clockTime(ms)}`
}

/** "2026-11-21T14:32:07", local: what a field for a moment takes. */
export function localInput(ms: number): string {
  const d = new Date(ms)
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${clockTime(ms)}`
}
