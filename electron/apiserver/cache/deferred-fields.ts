/**
 * `metadata.managedFields` is the larger half of many objects, slow to parse because each of its keys is another, and hardly ever looked
 * at. So a cached object has a property in its place that reads the stored bytes when somebody asks.
 */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { ManagedFieldsEntry } from '../../api/meta/v1/types.gen.ts'
import { deepFreeze } from '../../machinery/freeze.ts'

/** Where the property is in stored bytes: from the quote that opens its name up to the end of its value. */
export interface FieldRange {
  readonly name: number
  readonly value: number
  readonly end: number
}

const NAME = 'managedFields'
const MARK = Buffer.from(`"${NAME}":[`)
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d
/** Braces differ from brackets by this bit. */
const BRACE = 0x20

/** Of an object of JSON whose metadata begins at `from`, after its brace. Null if it has none there. */
export function findManagedFields(bytes: Buffer, from: number): FieldRange | null {
  const name = bytes.indexOf(MARK, from)
  if (name < 0 || !reaches(bytes, from, name)) return null
  const value = name + MARK.length - 1
  return { name, value, end: endOf(bytes, value) }
}

/** The text without the property. */
export function textWithout(bytes: Buffer, { name, end }: FieldRange): string {
  if (bytes[name - 1] === COMMA) return bytes.toString('utf8', 0, name - 1) + bytes.toString('utf8', end)
  return bytes.toString('utf8', 0, name) + bytes.toString('utf8', bytes[end] === COMMA ? end + 1 : end)
}

const SOURCE = Symbol('where managedFields are')

interface Source {
  readonly bytes: Buffer
  /** Where the value is looked for. */
  readonly from: number
  known: WeakRef<ManagedFieldsEntry[]> | null
}

/** One for all, so that such objects have one shape. */
const DEFERRED: PropertyDescriptor = {
  enumerable: true,
  configurable: true,
  get(this: { readonly [SOURCE]: Source }): ManagedFieldsEntry[] {
    const source = this[SOURCE]
    const known = source.known?.deref()
    if (known) return known
    const { bytes, from } = source
    const range = findManagedFields(bytes, from)
    const fields = deepFreeze(range ? (JSON.parse(bytes.toString('utf8', range.value, range.end)) as ManagedFieldsEntry[]) : [])
    source.known = new WeakRef(fields)
    return fields
  },
}

/**
 * Puts the property in place, and freezes the metadata. `bytes` must be the object's, and have the property in the metadata, which begin
 * at `from`, after their brace.
 */
export function deferManagedFields(object: KubeObject, bytes: Buffer, from: number): void {
  const { metadata } = object
  const source: Source = { bytes, from, known: null }
  delete metadata.managedFields
  for (const key in metadata) deepFreeze(metadata[key as keyof typeof metadata])
  Object.defineProperty(metadata, SOURCE, { value: source })
  Object.defineProperty(metadata, NAME, DEFERRED)
  Object.freeze(metadata)
}

/** Whether the object that `from` is in goes on until `to`, and `to` is in no other one within it. */
function reaches(bytes: Buffer, from: number, to: number): boolean {
  let open = 0
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) i = closingQuote(bytes, i)
    else if ((byte & ~BRACE) === OPEN) open++
    else if ((byte & ~BRACE) === CLOSE && --open < 0) return false
  }
  return open === 0
}

/** After the bracket that closes the one at `at`. */
function endOf(bytes: Buffer, at: number): number {
  let open = 0
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) i = closingQuote(bytes, i)
    else if ((byte & ~BRACE) === OPEN) open++
    else if ((byte & ~BRACE) === CLOSE && --open === 0) return i + 1
  }
  return bytes.length
}

function closingQuote(bytes: Buffer, at: number): number {
  let i = at + 1
  for (; i < bytes.length && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++
  return i
}
