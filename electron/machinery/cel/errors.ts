/** What goes wrong with expressions: before they run, and while they do. */

export interface SourceError {
  /** Offset in the source, in UTF-16 units; -1: of the whole. */
  readonly at: number
  readonly message: string
}

/** Evaluation failed; `&&`, `||` and the macros made of them may do without what failed. The message is cel-go's. */
export class CelError extends Error {
  override readonly name = 'CelError'
}

/** Evaluation used up what it may cost. Nothing in an expression makes good for that. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError'
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
  }
}

/** A function needs something that is not here yet: evaluate again when `ready` is settled. */
export class Suspension extends Error {
  override readonly name = 'Suspension'
  readonly ready: Promise<unknown>
  constructor(ready: Promise<unknown>) {
    super('the expression waits for an answer')
    this.ready = ready
  }
}

export const noSuchOverload = (): CelError => new CelError('no such overload')
export const noSuchKey = (key: string): CelError => new CelError(`no such key: ${key}`)

/** With line, column and the line itself, as Kubernetes shows errors of expressions. */
export function describeErrors(source: string, errors: readonly SourceError[]): string {
  const lines = source.split('\n')
  return errors
    .map(({ at, message }) => {
      if (at < 0) return `ERROR: <input>:-1:0: ${message}`
      const before = source.slice(0, at).split('\n')
      const line = lines[before.length - 1] ?? ''
      const column = Array.from(before.at(-1) ?? '').length
      const shown = Array.from(line.replaceAll('\t', ' '))
      const marks = shown.slice(0, column).map((char) => (char > '\u007f' ? '\uff0e' : '.'))
      const mark = (shown[column] ?? '') > '\u007f' ? '\uff3e' : '^'
      return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${shown.join('')}\n | ${marks.join('')}${mark}`
    })
    .join('\n')
}
