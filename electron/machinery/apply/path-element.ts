/**
 * One step of a path into an object, as its text in `fieldsV1`: `f:name` a field or map key, `k:{"name":"a"}` the item of a list by
 * its keys, `v:"x"` the item of a set, `i:0` a position. Equal steps have equal texts. Source: structured-merge-diff `fieldpath`.
 */
import { isObject } from '../json-value.ts'

export type PathElement = string

export const fieldElement = (name: string): PathElement => `f:${name}`
export const valueElement = (value: unknown): PathElement => `v:${canonicalJson(value)}`

/** Keys in any order. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): PathElement {
  const sorted = keys.length < 2 ? keys : keys.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${canonicalJson(value)}`).join(',')}}`
}

/** The element that a text from outside stands for; null if it is of a kind that we do not know. Throws SyntaxError. */
export function parseElement(text: string): PathElement | null {
  if (text.startsWith('f:')) return text
  if (text.length < 2 || text[1] !== ':') throw new SyntaxError(`not a path element: ${text}`)
  const rest = text.slice(2)
  switch (text[0]) {
    case 'v':
      return valueElement(JSON.parse(rest))
    case 'k': {
      const keys: unknown = JSON.parse(rest)
      if (!isObject(keys)) throw new SyntaxError(`not a path element: ${text}`)
      return keyElement(Object.entries(keys))
    }
    case 'i':
      if (!/^-?[0-9]+$/.test(rest)) throw new SyntaxError(`not a path element: ${text}`)
      return text
    default:
      return null
  }
}

/** As people read it: `.spec`, `[name="a",port=80]`, `[="x"]`, `[0]`. */
export function showElement(element: PathElement): string {
  const rest = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${rest}`
    case 'v':
      return `[=${rest}]`
    case 'k':
      return `[${Object.entries(JSON.parse(rest) as object)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`
    default:
      return `[${rest}]`
  }
}

export function showPath(path: readonly PathElement[]): string {
  return path.map(showElement).join('')
}

const RANK: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 }

/** The order in which sets are written: fields, keyed items, values, positions; each kind by its content. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0
  const [kind, other] = [a[0] ?? '', b[0] ?? '']
  if (kind !== other) return (RANK[kind] ?? 9) - (RANK[other] ?? 9)
  if (kind === 'f') return a < b ? -1 : 1
  const [x, y]: [unknown, unknown] = [JSON.parse(a.slice(2)), JSON.parse(b.slice(2))]
  if (kind !== 'k') return compareValues(x, y)
  const [left, right] = [Object.entries(x as object), Object.entries(y as object)]
  for (const [i, [name, value]] of left.entries()) {
    const [otherName, otherValue] = right[i] ?? [undefined, undefined]
    if (otherName === undefined) return 1
    if (name !== otherName) return name < otherName ? -1 : 1
    const order = compareValues(value, otherValue)
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** Numbers, then strings, then booleans, then the rest. */
function compareValues(a: unknown, b: unknown): number {
  if (rankOf(a) !== rankOf(b)) return rankOf(a) - rankOf(b)
  if (typeof a === 'number') return a - (b as number)
  if (typeof a === 'boolean') return Number(a) - Number(b)
  const [x, y] = typeof a === 'string' ? [a, b as string] : [canonicalJson(a), canonicalJson(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

function rankOf(value: unknown): number {
  const rank = ['number', 'string', 'boolean'].indexOf(typeof value)
  return rank < 0 ? 3 : rank
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item)}`).join(',')}}`
}
