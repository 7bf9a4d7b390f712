/** Objects, lists and watches as the bytes of an answer. */
import { stringify } from 'yaml'
import { apiVersionOf } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { Bookmark, type WatchItem } from '../cache/cache-watch.ts'
import type { Entry } from '../cache/entry.ts'
import type { Frame, FrameEncoder } from '../cache/frame.ts'
import type { ListResult } from '../cache/list.ts'
import type { Resource } from '../registry/storage.ts'
import type { ApiResponse } from '../types.ts'
import type { Output } from './negotiate.ts'
import { ListBody } from './list-body.ts'
import { bytesResponse, JSON_HEADERS } from './response.ts'

const NEWLINE = 0x0a
const YAML_TYPE = 'application/yaml'

export function encodeEntry(entry: Entry, output: Output, status: number): ApiResponse {
  if (output.format === 'yaml' || output.pretty) return encodeValue(entry.object, output, status)
  const { layout, value, revision } = entry
  const length = layout.splicedLength(value, revision)
  const bytes = Buffer.allocUnsafe(length + 1)
  layout.spliceInto(bytes, 0, value, revision)
  bytes[length] = NEWLINE
  return bytesResponse(status, bytes)
}

export function encodeValue(value: unknown, output: Output, status: number): ApiResponse {
  if (output.format === 'yaml') return bytesResponse(status, Buffer.from(stringify(value, { version: '1.1' })), YAML_TYPE)
  return bytesResponse(status, Buffer.from(`${JSON.stringify(value, null, output.pretty ? 2 : 0)}\n`))
}

export function listMetadata(result: ListResult): { resourceVersion: string; continue?: string; remainingItemCount?: number } {
  return {
    resourceVersion: String(result.revision),
    ...(result.continueToken ? { continue: result.continueToken } : {}),
    ...(result.remaining ? { remainingItemCount: result.remaining } : {}),
  }
}

export function encodeList(resource: Resource, result: ListResult, output: Output): ApiResponse {
  const { kind } = resource
  const list = { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: listMetadata(result) }
  if (output.format === 'yaml' || output.pretty) return encodeValue({ ...list, items: result.entries.map((e) => e.object) }, output, 200)
  const body = new ListBody(`${JSON.stringify(list).slice(0, -1)},"items":[`, result.entries)
  return body.short ? bytesResponse(200, body.whole()) : { status: 200, headers: JSON_HEADERS, body }
}

/** Lines of a watch in the resource's own form. One per resource, so that its watchers share what it makes. */
export function frameEncoder(view: (entry: Entry) => Entry): FrameEncoder {
  return (frame: Frame) => {
    const { layout, value, revision } = view(frame.entry)
    const head = `{"type":"${frame.type}","object":`
    const out = Buffer.allocUnsafe(head.length + layout.splicedLength(value, revision) + 2)
    let at = out.write(head, 0, 'latin1')
    at = layout.spliceInto(out, at, value, revision)
    out[at++] = 0x7d
    out[at] = NEWLINE
    return out
  }
}

/** What a bookmark carries: its kind and the revision that it stands for. */
export function bookmarkObject(resource: Pick<Resource, 'kind'>, bookmark: Bookmark): KubeObject {
  const annotations = bookmark.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  const metadata = { resourceVersion: String(bookmark.revision), ...annotations } as KubeObject['metadata']
  return { kind: resource.kind.kind, apiVersion: apiVersionOf(resource.kind), metadata }
}

export function encodeItem(resource: Resource, item: WatchItem): Buffer {
  if (item instanceof Bookmark) return encodeLine('BOOKMARK', bookmarkObject(resource, item))
  return item.encoded(resource.lines)
}

export function encodeLine(type: string, object: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ type, object })}\n`)
}
