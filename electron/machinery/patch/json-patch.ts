/**
 * JSON Patch (RFC 6902) as the API server carries it out, with the words of its library (`evanphx/json-patch` v4): negative indices
 * count from the end, and `replace` of a property that is not there adds it. Documents are not changed; results share with them.
 */
import { Pointer } from 'rfc6902'
import { isObject, jsonEqual, setOwn, type JsonObject } from '../json-value.ts'
import { badRequest, failure, type StatusError } from '../status.ts'

const MAX_OPERATIONS = 10_000
const FIELDS = new Set(['op', 'path', 'from', 'value'])

/** Throws StatusError: `BadRequest` for what is no patch, `Invalid` (422) for one that does not apply. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest(`error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type jsonpatch.Patch`)
  if (patch.length > MAX_OPERATIONS)
    throw failure(
      413,
      'RequestEntityTooLarge',
      `Request entity is too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    )
  const editor = new Editor(document)
  for (const operation of patch as readonly unknown[]) {
    if (!isObject(operation))
      throw badRequest(`error decoding patch: json: cannot unmarshal ${goKind(operation)} into Go value of type jsonpatch.Operation`)
    editor.apply(operation)
  }
  return editor.document
}

/** What strict validation objects to: properties of operations that mean nothing. */
export function strictJsonPatchFaults(patch: unknown): string[] {
  if (!Array.isArray(patch)) return []
  return patch.flatMap((operation, i) =>
    isObject(operation)
      ? Object.keys(operation).flatMap((key) => (FIELDS.has(key) ? [] : [`json patch unknown field "[${i}].${key}"`]))
      : [],
  )
}

/** A patch that is well-formed and cannot be carried out. Clients get the reason as a cause. */
export function unprocessablePatch(why: string): StatusError {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {
    causes: [{ reason: 'FieldValueInvalid', message: why, field: 'patch' }],
  })
}

interface Place {
  readonly holder: JsonObject | unknown[]
  readonly key: string
}

class Editor {
  document: unknown
  /** Copies made for this patch, which may be changed. */
  readonly #own = new Set<object>()

  constructor(document: unknown) {
    this.document = document
  }

  apply(operation: JsonObject): void {
    const { op } = operation
    switch (op) {
      case 'add': {
        const path = text(operation, 'path', 'add operation failed to decode path')
        const place = this.#place(path) ?? reject(`add operation does not apply: doc is missing path: "${path}": missing value`)
        return insert(place, operation['value'] ?? null, `error in add for path: '${path}'`)
      }
      case 'remove': {
        const path = text(operation, 'path', 'remove operation failed to decode path')
        const place = this.#place(path) ?? reject(`remove operation does not apply: doc is missing path: "${path}": missing value`)
        return remove(place, `error in remove for path: '${path}'`)
      }
      case 'replace':
        return this.#replace(text(operation, 'path', 'replace operation failed to decode path'), operation['value'] ?? null)
      case 'move':
      case 'copy':
        return this.#transfer(op, operation)
      case 'test':
        return this.#test(text(operation, 'path', 'test operation failed to decode path'), operation['value'] ?? null)
      default:
        return reject(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`)
    }
  }

  #replace(path: string, value: unknown): void {
    if (path === '') {
      this.document = value
      return
    }
    const { holder, key } = this.#place(path) ?? reject(`replace operation does not apply: doc is missing path: ${path}: missing value`)
    if (!Array.isArray(holder)) setOwn(holder, key, value)
    else
      holder[indexOf(key, holder.length) ?? reject(`replace operation does not apply: doc is missing key: ${path}: missing value`)] = value
  }

  #transfer(op: 'move' | 'copy', operation: JsonObject): void {
    const from = text(operation, 'from', `${op} operation failed to decode from`)
    const source = this.#place(from) ?? reject(`${op} operation does not apply: doc is missing from path: ${from}: missing value`)
    const value = read(source, op === 'move' ? `error in move for path: '${source.key}'` : `error in copy for from: '${from}'`)
    if (op === 'move') remove(source, `error in move for path: '${source.key}'`)
    const path = text(operation, 'path', `${op} operation failed to decode path`)
    const target = this.#place(path) ?? reject(`${op} operation does not apply: doc is missing destination path: ${path}: missing value`)
    insert(
      target,
      op === 'move' ? value : structuredClone(value),
      op === 'move' ? `error in move for path: '${path}'` : 'error while adding value during copy',
    )
  }

  #test(path: string, value: unknown): void {
    const failed = `testing value ${path} failed: test failed`
    if (path === '') return jsonEqual(this.document, value) ? undefined : reject(failed)
    const place = this.#place(path) ?? reject(`test operation does not apply: is missing path: ${path}: missing value`)
    if (!jsonEqual(read(place, `error in test for path: '${path}'`), value)) reject(failed)
  }

  /** Where the path's last token points into; null if what leads there is missing. All on the way there may be changed. */
  #place(path: string): Place | null {
    if (!path.startsWith('/')) return null
    const tokens = Pointer.fromJSON(path).tokens.slice(1)
    const key = tokens.pop() ?? ''
    let holder = this.#writable(this.document)
    this.document = holder
    for (const token of tokens) {
      if (!holder) return null
      const index = Array.isArray(holder) ? indexOf(token, holder.length) : token
      if (index === null || (!Array.isArray(holder) && !Object.hasOwn(holder, token))) return null
      const next = this.#writable((holder as JsonObject)[index])
      if (!next) return null
      if (Array.isArray(holder)) holder[index as number] = next
      else setOwn(holder, token, next)
      holder = next
    }
    return holder && { holder, key }
  }

  #writable(value: unknown): JsonObject | unknown[] | null {
    if (typeof value !== 'object' || value === null) return null
    if (this.#own.has(value)) return value as JsonObject
    const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...value }
    this.#own.add(copy)
    return copy
  }
}

function text(operation: JsonObject, field: 'path' | 'from', why: string): string {
  const value = operation[field]
  return typeof value === 'string' ? value : reject(`${why}: missing value`)
}

function read({ holder, key }: Place, context: string): unknown {
  if (!Array.isArray(holder)) return Object.hasOwn(holder, key) ? holder[key] : null
  return holder[indexOf(key, holder.length) ?? rejectIndex(key, context)]
}

function insert({ holder, key }: Place, value: unknown, context: string): void {
  if (!Array.isArray(holder)) return setOwn(holder, key, value)
  if (key === '-') holder.push(value)
  else holder.splice(indexOf(key, holder.length + 1) ?? rejectIndex(key, context), 0, value)
}

function remove({ holder, key }: Place, context: string): void {
  if (Array.isArray(holder)) holder.splice(indexOf(key, holder.length) ?? rejectIndex(key, context), 1)
  else if (Object.hasOwn(holder, key)) delete holder[key]
  else reject(`${context}: Unable to remove nonexistent key: ${key}: missing value`)
}

/** A position in a list of that length; negative ones count from its end. Null if there is none. */
function indexOf(token: string, length: number): number | null {
  if (!/^[+-]?[0-9]+$/.test(token)) return null
  const index = Number(token)
  const at = index < 0 ? index + length : index
  return at >= 0 && at < length ? at : null
}

function rejectIndex(token: string, context: string): never {
  if (!/^[+-]?[0-9]+$/.test(token))
    return reject(
      `${context}: value was not a proper array index: '${token}': strconv.Atoi: parsing ${JSON.stringify(token)}: invalid syntax`,
    )
  return reject(`${context}: Unable to access invalid index: ${Number(token)}: invalid index referenced`)
}

function reject(why: string): never {
  throw unprocessablePatch(why)
}

function goKind(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  return Array.isArray(value) ? 'array' : typeof value
}
