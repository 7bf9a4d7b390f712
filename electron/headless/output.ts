import { FlotillaError, isErrorCode, messageOf } from '../base/errors.ts'
import { ContractError } from '../contracts/protocol.ts'

/** Where a command writes: people get lines and tables, programs with --json one JSON object a line. */
export interface Output {
  readonly json: boolean
  /** A result. `text` is what people get; absent: nothing. */
  result(value: unknown, text?: string): void
  /** What goes on meanwhile; on stderr, and never with --json. */
  note(text: string): void
  /** What failed; returns the exit code that stands for it. */
  failure(error: unknown): number
}

export function createOutput(
  json: boolean,
  streams: { out: NodeJS.WritableStream; err: NodeJS.WritableStream } = { out: process.stdout, err: process.stderr },
): Output {
  return {
    json,
    result(value, text) {
      if (json) streams.out.write(`${JSON.stringify(value)}\n`)
      else if (text !== undefined) streams.out.write(`${text}\n`)
    },
    note(text) {
      if (!json) streams.err.write(`${text}\n`)
    },
    failure(error) {
      const known = asFlotillaError(error)
      if (json) streams.err.write(`${JSON.stringify({ error: known.toJSON() })}\n`)
      else streams.err.write([`error: ${known.what}`, known.why, known.next && `next: ${known.next}`].filter(Boolean).join('\n') + '\n')
      return known.exitCode
    },
  }
}

/** Rows under heads, columns two spaces apart. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => (row[i] ?? '').length)))
  return [heads, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function asFlotillaError(error: unknown): FlotillaError {
  if (error instanceof FlotillaError) return error
  if (error instanceof ContractError) {
    const { code, ...parts } = error.failure
    return new FlotillaError(isErrorCode(code) ? code : 'INTERNAL', { ...parts, cause: error })
  }
  return new FlotillaError('INTERNAL', {
    what: 'Something inside Flotilla failed.',
    why: messageOf(error),
    next: 'Please report it with the log in the state folder.',
    cause: error,
  })
}
