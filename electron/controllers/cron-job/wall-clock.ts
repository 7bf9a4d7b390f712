/** What clocks on the wall show in a time zone. Instants are milliseconds since the epoch. */
export interface WallTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  /** 0 is Sunday. */
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

export interface WallClock {
  at(instant: number): WallTime
  /** RFC 3339 in whole seconds: "2026-03-01T08:00:00+01:00". */
  format(instant: number): string
}

/** In a zone of the time zone database; UTC without one. Throws RangeError for an unknown zone. */
export function wallClock(timeZone = 'UTC'): WallClock {
  const shift = timeZone === 'UTC' ? () => 0 : offsets(timeZone)
  const at = (instant: number): WallTime => {
    const date = new Date(instant + shift(instant))
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
    }
  }
  return { at, format: (instant) => `${new Date(instant + shift(instant)).toISOString().slice(0, 19)}${zoneText(shift(instant))}` }
}

/** How far the zone's clocks are ahead of UTC at an instant. */
function offsets(timeZone: string): (instant: number) => number {
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
  const format = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'iso8601', hourCycle: 'h23', ...numeric })
  return (instant) => {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000
  }
}

function zoneText(offset: number): string {
  if (offset === 0) return 'Z'
  const minutes = Math.round(Math.abs(offset) / 60_000)
  const two = (number: number) => String(number).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
