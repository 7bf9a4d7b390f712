/**
 * How an object lies in the store: the JSON that clients get, except for `metadata.resourceVersion`, which is the key's mod revision
 * and is put in when the bytes leave. All objects of a resource begin with the same bytes, up to and including the brace that opens
 * `metadata`, so the place to put it in is known without looking.
 */
import { apiVersionOf } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { deepFreeze } from '../../machinery/freeze.ts'
import { deferManagedFields, findManagedFields, textWithout } from './deferred-fields.ts'
import { RecentObjects } from './recent-objects.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const CLOSE = 0x7d
const ZERO = 0x30

export class Layout {
  readonly apiVersion: string
  readonly kind: string
  /** `{"kind":"Pod","apiVersion":"v1","metadata":{` */
  readonly head: Buffer
  /** What was written last, by its bytes. */
  readonly recent = new RecentObjects()
  readonly #headText: string
  /** The head, up to the quote that opens the resourceVersion. */
  readonly #open: Buffer

  constructor(kind: { group: string; version: string; kind: string }) {
    this.apiVersion = apiVersionOf(kind)
    this.kind = kind.kind
    this.#headText = `{"kind":${JSON.stringify(this.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},"metadata":{`
    this.head = Buffer.from(this.#headText)
    this.#open = Buffer.from(`${this.#headText}"resourceVersion":"`)
  }

  /** The stored form, managedFields last in the metadata. The object's own kind, apiVersion and resourceVersion are not looked at. */
  encode(object: KubeObject): Buffer {
    const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
    const { resourceVersion: _resourceVersion, managedFields, ...stored } = metadata
    const meta = JSON.stringify(managedFields ? { ...stored, managedFields } : stored)
    const tail = JSON.stringify(rest)
    const text = `${this.#headText}${meta.slice(1)}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`
    // Not from Buffer's pool, whose pages would live as long as the smallest value in them.
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
    bytes.write(text)
    return bytes
  }

  /** The stored form with the resourceVersion in it; as it is for revision 0. */
  splice(value: Buffer, revision: number): Buffer {
    const out = Buffer.allocUnsafe(this.splicedLength(value, revision))
    this.spliceInto(out, 0, value, revision)
    return out
  }

  splicedLength(value: Buffer, revision: number): number {
    if (revision === 0) return value.length
    return value.length + this.#open.length - this.head.length + digits(revision) + (this.#isEmptyMetadata(value) ? 1 : 2)
  }

  /** Writes the spliced form at `offset` and returns the offset after it. */
  spliceInto(target: Buffer, offset: number, value: Buffer, revision: number): number {
    if (revision === 0) return offset + value.copy(target, offset)
    let at = offset + this.#open.copy(target, offset)
    const end = at + digits(revision)
    for (let i = end - 1, rest = revision; i >= at; i--) {
      target[i] = ZERO + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    at = end
    target[at++] = QUOTE
    if (!this.#isEmptyMetadata(value)) target[at++] = COMMA
    return at + value.copy(target, at, this.head.length)
  }

  /** Whether the bytes begin as this layout's do; another writer's may not. */
  fits(value: Buffer): boolean {
    const { head } = this
    return value.length > head.length && head.compare(value, 0, head.length) === 0
  }

  /** The stored bytes as an object with its resourceVersion; not frozen. */
  decode(value: Buffer, revision: number): KubeObject {
    const object = JSON.parse(value.toString('utf8')) as KubeObject
    if (revision > 0) object.metadata.resourceVersion = String(revision)
    return object
  }

  /** Stored bytes that fit as an object that many may share: frozen, with its resourceVersion, and what few need read when they do. */
  read(value: Buffer, revision: number): KubeObject {
    const range = findManagedFields(value, this.head.length)
    if (!range) return deepFreeze(this.decode(value, revision))
    const object = JSON.parse(textWithout(value, range)) as KubeObject
    if (revision > 0) object.metadata.resourceVersion = String(revision)
    deferManagedFields(object, value, this.head.length)
    return deepFreeze(object)
  }

  #isEmptyMetadata(value: Buffer): boolean {
    return value[this.head.length] === CLOSE
  }
}

/** A view of the same bytes. */
export function asBuffer(value: Uint8Array): Buffer {
  return value instanceof Buffer ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function digits(n: number): number {
  let count = 1
  for (let rest = n; rest >= 10; rest = Math.floor(rest / 10)) count++
  return count
}
