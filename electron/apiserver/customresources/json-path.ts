/**
 * The paths of printer columns: names, indices, wildcards, slices of no kind, and the filter that everyone uses for conditions,
 * `.status.conditions[?(@.type=="Ready")].status`. Source: client-go `util/jsonpath`.
 */
import { simplePath } from '../../api/apiextensions/v1/json-path.ts'
import { getOwn, isObject } from '../../machinery/json-value.ts'

type Step = (values: readonly unknown[]) => unknown[]

/** Reads what the path leads to; several values where it has a wildcard or a filter. Throws SyntaxError for what it does not know. */
export function compilePath(path: string): (object: unknown) => unknown[] {
  const steps = parse(path)
  return (object) => steps.reduce<unknown[]>((values, step) => step(values), [object])
}

/** Reads the one field that a path of names leads to; undefined if there is none. Throws SyntaxError. */
export function readSimple(path: string): (object: unknown) => unknown {
  const names = namesOf(path)
  return (object) => names.reduce<unknown>((value, name) => (isObject(value) ? getOwn(value, name) : undefined), object)
}

/** Puts a value where the path leads to, making the objects on the way. */
export function writeSimple(path: string, object: unknown, value: unknown): void {
  const names = namesOf(path)
  let at = object as Record<string, unknown>
  for (const name of names.slice(0, -1)) {
    const next = getOwn(at, name)
    const below: Record<string, unknown> = isObject(next) ? next : {}
    at[name] = below
    at = below
  }
  const last = names.at(-1)
  if (last !== undefined) at[last] = value
}

function namesOf(path: string): readonly string[] {
  const names = simplePath(path)
  if (!names) throw new SyntaxError(`${path} is no path of names`)
  return names
}

const NAME = /^\.?([A-Za-z_][\w-]*)/
const ESCAPED_NAME = /^\.((?:[^.[\]\\{}()]|\\.)+)/
const QUOTED = /^\.?\['((?:[^'\\]|\\.)*)'\]/
const INDEX = /^\[(-?\d+)\]/
const WILDCARD = /^(?:\.?\[\*\]|\.\*)/
const FILTER = /^\[\?\(\s*@((?:\.[\w-]+|\['[^']*'\])*)\s*(?:(==|!=|<=|>=|<|>)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\w.+-]+)\s*)?\)\]/

function parse(path: string): Step[] {
  const steps: Step[] = []
  let rest = path.trim()
  while (rest !== '' && rest !== '.') {
    const [step, length] = next(rest)
    steps.push(step)
    rest = rest.slice(length)
  }
  return steps
}

function next(rest: string): [Step, number] {
  let match = FILTER.exec(rest)
  if (match) return [filter(match[1] ?? '', match[2], match[3]), match[0].length]
  match = WILDCARD.exec(rest)
  if (match) return [(values) => values.flatMap(members), match[0].length]
  match = INDEX.exec(rest)
  if (match) {
    const index = Number(match[1])
    return [(values) => values.flatMap((value) => (Array.isArray(value) ? value.slice(index).slice(0, 1) : [])), match[0].length]
  }
  match = QUOTED.exec(rest) ?? ESCAPED_NAME.exec(rest) ?? NAME.exec(rest)
  if (!match) throw new SyntaxError(`unrecognized character in action: ${rest.charAt(0)}`)
  const name = (match[1] ?? '').replace(/\\(.)/g, '$1')
  return [(values) => values.flatMap((value) => property(value, name)), match[0].length]
}

function property(value: unknown, name: string): unknown[] {
  if (!isObject(value)) return []
  const found = getOwn(value, name)
  return found === undefined ? [] : [found]
}

function members(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return isObject(value) ? Object.values(value) : []
}

function filter(path: string, operator: string | undefined, literal: string | undefined): Step {
  const left = parse(path)
  const read = (item: unknown) => left.reduce<unknown[]>((values, step) => step(values), [item])[0]
  const right = literal === undefined ? undefined : literalValue(literal)
  const keeps = (item: unknown) => (operator === undefined ? read(item) !== undefined : compare(read(item), operator, right))
  return (values) => values.flatMap((value) => members(value).filter(keeps))
}

function literalValue(text: string): unknown {
  if (text.startsWith('"')) return JSON.parse(text)
  if (text.startsWith("'")) return text.slice(1, -1).replace(/\\(.)/g, '$1')
  if (text === 'true' || text === 'false') return text === 'true'
  const number = Number(text)
  return Number.isNaN(number) ? text : number
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false
  const [a, b] = [left, right as typeof left]
  if (operator === '<') return a < b
  if (operator === '<=') return a <= b
  return operator === '>' ? a > b : a >= b
}
