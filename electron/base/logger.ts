import type { Clock } from './clock.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Record<string, unknown>

/** Structured log: a short constant message and fields. Never put a secret into either. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger
}

const ORDER: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 }

/** One JSON object a line: `time` (RFC 3339), `level`, `message`, then the fields. `sink` gets the line with its newline. */
export function jsonLogger(options: { clock: Clock; sink: (line: string) => void; level?: LogLevel; fields?: LogFields }): Logger {
  const { clock, sink, level = 'info', fields = {} } = options
  const write = (at: LogLevel, message: string, more?: LogFields) => {
    if (ORDER[at] < ORDER[level]) return
    const line = { time: new Date(clock.now()).toISOString(), level: at, message, ...fields, ...more }
    sink(`${JSON.stringify(line, replaceError)}\n`)
  }
  return {
    debug: (message, more) => write('debug', message, more),
    info: (message, more) => write('info', message, more),
    warn: (message, more) => write('warn', message, more),
    error: (message, more) => write('error', message, more),
    child: (more) => jsonLogger({ clock, sink, level, fields: { ...fields, ...more } }),
  }
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}

function replaceError(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (!(value instanceof Error)) return value
  return { name: value.name, message: value.message, stack: value.stack, ...(value.cause === undefined ? {} : { cause: value.cause }) }
}
