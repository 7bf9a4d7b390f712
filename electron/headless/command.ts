import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { FlotillaError, messageOf } from '../base/errors.ts'
import type { Output } from './output.ts'

/** One command of the command line. Its name may have two words: "node add". */
export interface Command {
  readonly name: string
  /** What follows the name in the usage line: "HOST [--user USER]". */
  readonly usage: string
  readonly summary: string
  readonly options?: Readonly<Record<string, OptionSpec>>
  /** Names of positional arguments; one that ends in "?" may be left out. */
  readonly positionals?: readonly string[]
  run(context: CommandContext): Promise<void>
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly multiple?: boolean
  readonly short?: string
  readonly help: string
}

export interface CommandContext {
  readonly args: Args
  readonly output: Output
  readonly stateDir: string
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** File name of the entry point, from which everything else is found. */
  readonly entry: string
}

export const COMMON: Readonly<Record<string, OptionSpec>> = {
  state: { type: 'string', help: 'state folder of the cluster (default: the desktop app’s own, or FLOTILLA_STATE)' },
  json: { type: 'boolean', help: 'print JSON, one object a line' },
  help: { type: 'boolean', short: 'h', help: 'show this' },
}

/** Parsed options and arguments, read by name; a value that does not fit fails with USAGE. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #positionals: Readonly<Record<string, string>>

  constructor(values: Readonly<Record<string, unknown>>, positionals: Readonly<Record<string, string>>) {
    this.#values = values
    this.#positionals = positionals
  }

  text(name: string): string | undefined {
    const value = this.#values[name] ?? this.#positionals[name]
    return typeof value === 'string' ? value : undefined
  }

  need(name: string): string {
    const value = this.text(name)
    if (value === undefined) throw usage(`${name} is missing.`)
    return value
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? (value as string[]) : []
  }

  /** A whole number in a range. */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw usage(`--${name} takes a whole number from ${min} to ${max}, not "${text}".`)
    return value
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const found = choices.find((choice) => choice === text)
    if (!found) throw usage(`--${name} takes ${choices.join(' or ')}, not "${text}".`)
    return found
  }
}

export function usage(why: string): FlotillaError {
  return new FlotillaError('USAGE', { what: 'The command line was not understood.', why, next: 'Add --help to see what it takes.' })
}

/** Finds the command that the words name; two-word names win. */
export function findCommand(commands: readonly Command[], words: readonly string[]): { command: Command; rest: string[] } | null {
  for (const length of [2, 1]) {
    const command = commands.find((c) => c.name === words.slice(0, length).join(' '))
    if (command) return { command, rest: words.slice(length) }
  }
  return null
}

export function parseCommand(command: Command, words: string[]): Args {
  const specs = { ...COMMON, ...command.options }
  const options: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(specs).map(([name, { type, multiple, short }]) => [
      name,
      { type, ...(multiple ? { multiple } : {}), ...(short ? { short } : {}) },
    ]),
  )
  let parsed: { values: Record<string, unknown>; positionals: string[] }
  try {
    parsed = parseArgs({ args: words, options, allowPositionals: true, strict: true }) as never
  } catch (error) {
    throw usage(`${messageOf(error).split('. ')[0]}.`)
  }
  const names = command.positionals ?? []
  if (parsed.positionals.length > names.length) throw usage(`"${parsed.positionals[names.length]}" is one argument too many.`)
  const positionals: Record<string, string> = {}
  names.forEach((name, i) => {
    const value = parsed.positionals[i]
    if (value !== undefined) positionals[name.replace('?', '')] = value
    else if (!name.endsWith('?') && !parsed.values['help']) throw usage(`${name.toUpperCase()} is missing.`)
  })
  return new Args(parsed.values, positionals)
}

export function helpOf(command: Command): string {
  const specs = Object.entries({ ...command.options, ...COMMON })
  const left = specs.map(
    ([name, spec]) => `  ${spec.short ? `-${spec.short}, ` : ''}--${name}${spec.type === 'string' ? ` ${name.toUpperCase()}` : ''}`,
  )
  const width = Math.max(...left.map((l) => l.length)) + 2
  const lines = specs.map(([, spec], i) => `${(left[i] ?? '').padEnd(width)}${spec.help}`)
  return [`flotilla ${command.name} ${command.usage}`.trim(), '', command.summary, '', ...lines].join('\n')
}
