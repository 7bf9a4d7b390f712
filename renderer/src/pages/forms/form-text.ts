/** A form's object as YAML text: fields are read from it and written into it, and all else stays as it was typed. */
import { isMap, isSeq, parseDocument, stringify, type Document } from 'yaml'
import { parseQuantity } from '../../kube/quantity.ts'
import { apiVersion } from '../../kube/resources.ts'
import type { Field, FormSpec, Path } from './form-spec.ts'

export function startText({ resource, start }: FormSpec, namespace: string): string {
  const metadata = { name: '', ...(resource.namespaced ? { namespace } : {}) }
  return stringify({ apiVersion: apiVersion(resource), kind: resource.kind, metadata, ...start }, { aliasDuplicateObjects: false })
}

/** What the text says as plain data; null while it cannot be read. */
export function readText(text: string): Record<string, unknown> | null {
  const doc = parseDocument(text)
  if (doc.errors.length || !isMap(doc.contents)) return null
  return doc.toJSON() as Record<string, unknown>
}

export function valueAt(object: unknown, path: Path): unknown {
  let at = object
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Record<string | number, unknown>)[key]
  }
  return at
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0)

/** The text with `value` at `path`; nothing ('' and empty lists too) takes the field away, and what it leaves empty. */
export function writeText(text: string, path: Path, value: unknown): string {
  const doc = parseDocument(text)
  if (doc.errors.length) return text
  if (isNothing(value)) prune(doc, path)
  else {
    makeWay(doc, path)
    doc.setIn(path, doc.createNode(value))
  }
  return doc.toString({ lineWidth: 0 })
}

const NAME_AT: Path = ['metadata', 'name']
const FIRST_LABEL = 'web'

/** As `writeText`; labels that were the name stay the name. */
export function writeField(text: string, path: Path, value: unknown): string {
  const before = readText(text)
  const written = writeText(text, path, value)
  if (fieldName(path) !== fieldName(NAME_AT) || typeof value !== 'string' || !value) return written
  const old = valueAt(before, NAME_AT) || FIRST_LABEL
  const places: readonly Path[] = [
    ['spec', 'selector', 'matchLabels', 'app'],
    ['spec', 'template', 'metadata', 'labels', 'app'],
  ]
  return places.every((place) => valueAt(before, place) === old)
    ? places.reduce((now, place) => writeText(now, place, value), written)
    : written
}

/** Lists and maps on the way to `path`, as its keys want them. */
function makeWay(doc: Document, path: Path): void {
  for (let length = 1; length < path.length; length++) {
    const before = path.slice(0, length)
    const there = doc.getIn(before, true)
    const wantsList = typeof path[length] === 'number'
    if (wantsList ? !isSeq(there) : !isMap(there)) doc.setIn(before, doc.createNode(wantsList ? [] : {}))
  }
}

function prune(doc: Document, path: Path): void {
  doc.deleteIn(path)
  for (let length = path.length - 1; length > 0; length--) {
    const before = path.slice(0, length)
    const node = doc.getIn(before, true)
    const empty = (isMap(node) || isSeq(node)) && node.items.length === 0
    // An entry of a list stays: somebody is filling it in.
    if (!empty || typeof before.at(-1) === 'number') return
    doc.deleteIn(before)
  }
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const CRON = /^(@\w+|\S+(\s+\S+){4})$/

export type FieldFault = 'required' | 'name' | 'quantity' | 'cron' | 'number'

/** What is wrong with a field's value; null if nothing is, as far as that can be known here. */
export function faultOf(field: Field, value: unknown): FieldFault | null {
  if (isNothing(value)) return field.required ? 'required' : null
  if (field.input === 'text') {
    const text = String(value)
    if (field.check === 'name' && !NAME.test(text)) return 'name'
    if (field.check === 'quantity' && Number.isNaN(parseQuantity(text))) return 'quantity'
    if (field.check === 'cron' && !CRON.test(text.trim())) return 'cron'
  }
  if (field.input === 'number') {
    if (field.orPercent && /^\d+%$/.test(String(value))) return null
    const n = Number(value)
    if (!Number.isInteger(n) || n < (field.min ?? 0) || n > (field.max ?? Number.MAX_SAFE_INTEGER)) return 'number'
  }
  return null
}

/** "spec.template.spec.containers[0].image", as the API server names a field that it refuses. */
export const fieldName = (path: Path): string =>
  path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${key}` : key), '')

export const isShown = (field: Field, object: unknown): boolean => {
  if (!field.when) return true
  const value = valueAt(object, field.when.path)
  return field.when.is.includes(typeof value === 'string' ? value : '')
}

/** All that is wrong, by the name of the field. */
export function faults(fields: readonly Field[], object: unknown, at: Path = []): Map<string, FieldFault> {
  const found = new Map<string, FieldFault>()
  for (const field of fields) {
    if (!isShown(field, object)) continue
    const value = valueAt(object, field.path)
    const path = [...at, ...field.path]
    const fault = faultOf(field, value)
    if (fault) found.set(fieldName(path), fault)
    if (field.input === 'many' && Array.isArray(value))
      for (const [index, item] of value.entries())
        for (const [name, each] of faults(field.of, item, [...path, index])) found.set(name, each)
  }
  return found
}
