/** Objects as the server prints them: `meta.k8s.io/v1` Table and PartialObjectMetadata (KEP-548). */
import type { Kind } from '../api/kind.ts'
import type { KubeList, KubeObject, ObjectMeta } from '../api/meta/v1/object.ts'
import type { TableColumnDefinition } from '../api/meta/v1/types.gen.ts'

/** What a row carries beside its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export type Cell = string | number | boolean | null

export interface Table {
  readonly kind: 'Table'
  readonly apiVersion: 'meta.k8s.io/v1'
  readonly metadata: KubeList<KubeObject>['metadata']
  /** Empty where the client has them from an earlier event of the same watch. */
  readonly columnDefinitions: readonly TableColumnDefinition[]
  readonly rows: readonly TableRow[]
}

export interface TableRow {
  readonly cells: readonly Cell[]
  readonly object?: KubeObject | PartialObjectMetadata
}

export interface PartialObjectMetadata {
  readonly kind: 'PartialObjectMetadata'
  readonly apiVersion: 'meta.k8s.io/v1'
  readonly metadata: ObjectMeta
}

export interface PartialObjectMetadataList {
  readonly kind: 'PartialObjectMetadataList'
  readonly apiVersion: 'meta.k8s.io/v1'
  readonly metadata: KubeList<KubeObject>['metadata']
  readonly items: readonly PartialObjectMetadata[]
}

const META = 'meta.k8s.io/v1'

const NAME: TableColumnDefinition = Object.freeze({
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, the only one of its kind in its namespace',
  priority: 0,
})

type Printed<T extends KubeObject> = Pick<Kind<T>, 'columns' | 'custom'>

/** Custom resources always begin with their name, whatever their columns are. */
function namesItself<T extends KubeObject>({ columns, custom }: Printed<T>): boolean {
  return !custom && columns.some(({ format }) => format === 'name')
}

export function columnDefinitions<T extends KubeObject>(kind: Printed<T>): TableColumnDefinition[] {
  const own = kind.columns.map(({ name, type, format = '', description, priority = 0 }) => ({ name, type, format, description, priority }))
  return namesItself(kind) ? own : [NAME, ...own]
}

export interface TableOptions {
  readonly include: IncludeObject
  /** Milliseconds since the epoch, for ages. */
  readonly now: number
  /** Of the list; empty for a single object. */
  readonly metadata?: KubeList<KubeObject>['metadata']
  /** Whether the columns are described. Default: yes. */
  readonly describe?: boolean
}

export function toTable<T extends KubeObject>(kind: Printed<T>, objects: readonly T[], options: TableOptions): Table {
  const { include, now, metadata = {}, describe = true } = options
  const named = namesItself(kind)
  const rows = objects.map((object): TableRow => {
    const cells: Cell[] = named ? [] : [object.metadata.name]
    for (const column of kind.columns) cells.push(column.value(object, now))
    if (include === 'None') return { cells }
    return { cells, object: include === 'Object' ? object : partialObjectMetadata(object) }
  })
  return { kind: 'Table', apiVersion: META, metadata, columnDefinitions: describe ? columnDefinitions(kind) : [], rows }
}

export function partialObjectMetadata({ metadata }: KubeObject): PartialObjectMetadata {
  return { kind: 'PartialObjectMetadata', apiVersion: META, metadata }
}

export function partialObjectMetadataList(list: {
  readonly metadata: KubeList<KubeObject>['metadata']
  readonly items: readonly KubeObject[]
}): PartialObjectMetadataList {
  return { kind: 'PartialObjectMetadataList', apiVersion: META, metadata: list.metadata, items: list.items.map(partialObjectMetadata) }
}
