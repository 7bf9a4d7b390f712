/** Semantic versions. Sources: semver.org 2.0.0, apiserver `cel/library/semverlib.go`. */
import { CelError } from '../../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../../functions.ts'
import { BOOL, INT, STRING, opaque } from '../../types.ts'
import { MAX_UINT, Opaque } from '../../values.ts'

export const SEMVER_TYPE = opaque('kubernetes.Semver')

class Semver extends Opaque {
  readonly type = SEMVER_TYPE
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly before: readonly string[]
  constructor(numbers: readonly [bigint, bigint, bigint], before: readonly string[]) {
    super()
    this.numbers = numbers
    this.before = before
  }
  equals(other: Opaque): boolean {
    return other instanceof Semver && compare(this, other) === 0
  }
}

const NUMBER = '(0|[1-9][0-9]*)'
const PART = '(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)'
const SYNTAX = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${PART}(?:\\.${PART})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`)

/** Null if it is none. */
function parse(text: string): Semver | null {
  const match = SYNTAX.exec(text)
  if (!match) return null
  const [, major = '', minor = '', patch = '', before] = match
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const
  return numbers.some((one) => one > MAX_UINT) ? null : new Semver(numbers, before?.split('.') ?? [])
}

/** Without a "v" before it and zeros before its numbers, and with what a short one lacks. Null if it cannot be made one. */
function normalized(text: string): string | null {
  const [first = '', second, ...others] = text.replace(/^v/, '').split('.')
  const parts = second === undefined ? [first] : others.length > 0 ? [first, second, others.join('.')] : [first, second]
  const bare = parts.map((part) => (part.length > 1 ? part.replace(/^0+/, '').replace(/^(?![0-9])/, '0') : part))
  if (bare.length < 3 && /[+-]/.test(bare.at(-1) ?? '')) return null
  while (bare.length < 3) bare.push('0')
  return bare.join('.')
}

function tolerant(text: string): Semver | null {
  const made = normalized(text)
  return made === null ? null : parse(made)
}

function required(read: (text: string) => Semver | null) {
  return (text: string): Semver => {
    const version = read(text)
    if (version) return version
    throw new CelError(text === '' ? 'Version string empty' : 'No Major.Minor.Patch elements found')
  }
}

const strictOrNot = (text: string, normalize: boolean) => (normalize ? tolerant(text) : parse(text))

/** The value of `semver(text)`. Throws CelError. */
export const semverValue = required(parse)

/** -1, 0 or 1. */
function compare(a: Semver, b: Semver): number {
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  if (a.before.length === 0 || b.before.length === 0) return Math.sign(b.before.length - a.before.length)
  for (let i = 0; i < Math.max(a.before.length, b.before.length); i++) {
    const order = compareParts(a.before[i], b.before[i])
    if (order !== 0) return order
  }
  return 0
}

/** Numbers before words, nothing before anything. */
function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (x && y) return BigInt(a) < BigInt(b) ? -1 : 1
  if (x !== y) return x ? -1 : 1
  return a < b ? -1 : 1
}

const two = [SEMVER_TYPE, SEMVER_TYPE] as const
const number = (name: string, index: 0 | 1 | 2) =>
  define(
    name,
    method(`semver_${name}`, [SEMVER_TYPE], INT, ({ numbers }: Semver) => numbers[index]),
  )

export const SEMVER_FUNCTIONS: readonly FunctionDeclaration[] = [
  define(
    'semver',
    global('string_to_semver', [STRING], SEMVER_TYPE, semverValue),
    global('string_bool_to_semver', [STRING, BOOL], SEMVER_TYPE, (text: string, normalize: boolean) =>
      required((one) => strictOrNot(one, normalize))(text),
    ),
  ),
  define(
    'isSemver',
    global('is_semver_string', [STRING], BOOL, (text: string) => parse(text) !== null),
    global('is_semver_string_bool', [STRING, BOOL], BOOL, (text: string, normalize: boolean) => strictOrNot(text, normalize) !== null),
  ),
  define(
    'isGreaterThan',
    method('semver_is_greater_than', two, BOOL, (a: Semver, b: Semver) => compare(a, b) > 0),
  ),
  define(
    'isLessThan',
    method('semver_is_less_than', two, BOOL, (a: Semver, b: Semver) => compare(a, b) < 0),
  ),
  define(
    'compareTo',
    method('semver_compare_to', two, INT, (a: Semver, b: Semver) => BigInt(compare(a, b))),
  ),
  number('major', 0),
  number('minor', 1),
  number('patch', 2),
]
