/**
 * How an object lies in the store: the JSON that clients get, except for `metadata.resourceVersion`, which is the key's mod revision
 * and is put in when the bytes leave. All objects of a resource begin with the same bytes, up to and including the brace that opens
 * `metadata`, so the place to put it in is known without looking.
 */
import { apiVersionOf } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'

export class Layout {
  readonly apiVersion: string
  readonly kind: string
  /** `{"kind":"Pod","apiVersion":"v1","metadata":{` */
  readonly head: Buffer
  readonly #headText: string

  constructor(kind: { group: string; version: string; kind: string }) {
    this.apiVersion = apiVersionOf(kind)
    this.kind = kind.kind
    this.#headText = `{"kind":${JSON.stringify(this.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},"metadata":{`
    this.head = Buffer.from(this.#headText)
  }

  /** The stored form. The object's own kind, apiVersion and resourceVersion are not looked at. */
  encode(object: KubeObject): Buffer {
    const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
    const { resourceVersion: _resourceVersion, ...stored } = metadata
    const meta = JSON.stringify(stored)
    const tail = JSON.stringify(rest)
    const text = `${this.#headText}${meta.slice(1)}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`
    // Not from Buffer's pool, whose pages would live as long as the smallest value in them.
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
    bytes.write(text)
    return bytes
  }

  /** The stored form with the resourceVersion in it; as it is for revision 0. */
  splice(value: Uint8Array, revision: number): Buffer {
    const out = Buffer.allocUnsafe(this.splicedLength(value, revision))
    this.spliceInto(out, 0, value, revision)
    return out
  }

  splicedLength(value: Uint8Array, revision: number): number {
    if (revision === 0) return value.length
    return value.length + 20 + digits(revision) + (this.#isEmptyMetadata(value) ? 0 : 1)
  }

  /** Writes the spliced form at `offset` and returns the offset after it. */
  spliceInto(target: Buffer, offset: number, value: Uint8Array, revision: number): number {
    if (revision === 0) {
      target.set(value, offset)
      return offset + value.length
    }
    const cut = this.head.length
    target.set(value.subarray(0, cut), offset)
    let at = offset + cut
    at += target.write(`"resourceVersion":"${revision}"${this.#isEmptyMetadata(value) ? '' : ','}`, at, 'latin1')
    target.set(value.subarray(cut), at)
    return at + value.length - cut
  }

  /** Whether the bytes begin as this layout's do; another writer's may not. */
  fits(value: Uint8Array): boolean {
    return value.length > this.head.length && this.head.equals(value.subarray(0, this.head.length))
  }

  /** The stored bytes as an object with its resourceVersion; not frozen. */
  decode(value: Uint8Array, revision: number): KubeObject {
    const object = JSON.parse(text(value)) as KubeObject
    if (revision > 0) object.metadata.resourceVersion = String(revision)
    return object
  }

  #isEmptyMetadata(value: Uint8Array): boolean {
    return value[this.head.length] === 0x7d
  }
}

function text(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
}

function digits(n: number): number {
  let count = 1
  for (let rest = n; rest >= 10; rest = Math.floor(rest / 10)) count++
  return count
}
