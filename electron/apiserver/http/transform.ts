/** Tables and metadata in the place of objects, where the client asks for them (KEP-548). */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { badRequest } from '../../machinery/status.ts'
import { type IncludeObject, partialObjectMetadata, partialObjectMetadataList, toTable } from '../../machinery/table.ts'
import type { Frame } from '../cache/frame.ts'
import type { ListResult } from '../cache/list.ts'
import type { Resource } from '../registry/storage.ts'
import { listMetadata } from './encode.ts'
import type { Output, Transform } from './negotiate.ts'
import { notAcceptable } from './negotiate.ts'

export interface TransformContext {
  readonly output: Output & { readonly transform: Transform }
  readonly query: URLSearchParams
  readonly now: number
}

export function transformObject(kind: AnyKind, object: KubeObject, context: TransformContext): unknown {
  const { output, now } = context
  switch (output.transform) {
    case 'Table':
      return versioned(tableOf(kind, [object], context, { resourceVersion: object.metadata.resourceVersion }, now), context)
    case 'PartialObjectMetadata':
      return versioned(partialObjectMetadata(object), context)
    case 'PartialObjectMetadataList':
      throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${kind.kind})`)
  }
}

export function transformList(resource: Resource, result: ListResult, context: TransformContext): unknown {
  const items = result.entries.map((entry) => entry.object)
  return transformItems(resource.kind, items, listMetadata(result), context)
}

export function transformItems(
  kind: AnyKind,
  items: readonly KubeObject[],
  metadata: Record<string, unknown>,
  context: TransformContext,
): unknown {
  switch (context.output.transform) {
    case 'Table':
      return versioned(tableOf(kind, items, context, metadata, context.now), context)
    case 'PartialObjectMetadataList':
      return versioned(partialObjectMetadataList({ metadata, items }), context)
    case 'PartialObjectMetadata':
      throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${kind.kind}List)`)
  }
}

/** Makes the object of each event of one watch. Only the first table of a watch describes its columns. */
export function eventTransform(resource: Resource, context: TransformContext, now: () => number): (frame: Frame) => unknown {
  let first = true
  return (frame) => {
    const { object } = resource.view(frame.entry)
    if (context.output.transform !== 'Table') return versioned(partialObjectMetadata(object), context)
    const metadata = { resourceVersion: object.metadata.resourceVersion }
    const table = tableOf(resource.kind, [object], context, metadata, now(), first)
    first = false
    return versioned(table, context)
  }
}

/** What a bookmark is in a watch of tables: one without rows. */
export function bookmarkTransform(resource: Resource, bookmark: KubeObject, context: TransformContext): unknown {
  if (context.output.transform !== 'Table') return versioned(partialObjectMetadata(bookmark), context)
  return versioned({ ...tableOf(resource.kind, [], context, {}, context.now, false), rows: [{ cells: [], object: bookmark }] }, context)
}

function tableOf(
  kind: AnyKind,
  objects: readonly KubeObject[],
  { query }: TransformContext,
  metadata: Record<string, unknown>,
  now: number,
  describe = true,
) {
  return toTable(kind, objects, { include: includeOf(query), now, metadata, describe })
}

function includeOf(query: URLSearchParams): IncludeObject {
  const asked = query.get('includeObject') ?? 'Metadata'
  if (asked === '' || asked === 'Metadata') return 'Metadata'
  if (asked === 'None' || asked === 'Object') return asked
  const why = `includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`
  throw badRequest(`Unable to convert to Table as requested: ${why}`)
}

/** The older version of meta.k8s.io has the same shapes. */
function versioned<T extends object>(value: T, { output }: TransformContext): T {
  return output.version === 'v1' ? value : { ...value, apiVersion: `meta.k8s.io/${output.version}` }
}
