/** Manifests as text: several YAML documents, their objects, and where in the text a field stands. */
import { messageOf } from '../../../electron/base/errors.ts'
import { t } from '../i18n/index.ts'
import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  stringify,
  type Document,
  type Node,
  type ParsedNode,
  type YAMLError,
} from 'yaml'

export interface ManifestDocument {
  readonly doc: Document.Parsed<ParsedNode>
  /** The object, or null for what is empty or no mapping. */
  readonly object: ManifestObject | null
  /** First line, from 1. */
  readonly line: number
}

export interface ManifestObject {
  apiVersion?: string
  kind?: string
  metadata?: { name?: string; generateName?: string; namespace?: string; [key: string]: unknown }
  [key: string]: unknown
}

export interface Problem {
  /** From 1. */
  readonly line: number
  /** Offsets in the text. */
  readonly from: number
  readonly to: number
  readonly message: string
}

export interface Manifest {
  readonly documents: readonly ManifestDocument[]
  readonly problems: readonly Problem[]
  /** The line of an offset, from 1. */
  readonly lineAt: (offset: number) => number
}

export function parseManifest(text: string): Manifest {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const docs = Array.isArray(parsed) ? (parsed as Document.Parsed<ParsedNode>[]) : []
  const lineAt = (offset: number) => lines.linePos(offset).line
  const problems = docs.flatMap((doc) =>
    doc.errors.map((error) => ({
      line: lineAt(error.pos[0]),
      from: error.pos[0],
      to: Math.max(error.pos[1], error.pos[0] + 1),
      message: wordsFor(error),
    })),
  )
  const objects = new Map<unknown, ManifestObject>()
  for (const doc of docs) {
    if (doc.errors.length || !isMap(doc.contents)) continue
    try {
      objects.set(doc, doc.toJS() as ManifestObject)
    } catch (error) {
      // An alias without its anchor, or aliases that unfold without end.
      const [from, to] = doc.contents.range
      problems.push({ line: lineAt(from), from, to, message: messageOf(error) })
    }
  }
  const documents = docs
    .filter((doc) => !isEmpty(doc) || doc.errors.length > 0)
    .map((doc) => ({
      doc,
      object: objects.get(doc) ?? null,
      line: lineAt(doc.contents?.range?.[0] ?? doc.range[0]),
    }))
  const odd = documents.filter((d) => d.doc.errors.length === 0 && !isMap(d.doc.contents))
  return {
    documents,
    problems: onePerLine([
      ...problems,
      ...odd.map((d) => ({ line: d.line, from: d.doc.range[0], to: d.doc.range[1], message: t('yaml.error.notMap') })),
    ]),
    lineAt,
  }
}

/** The parser's words name its own parts; these name what a person sees. */
function wordsFor(error: YAMLError): string {
  switch (error.code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BAD_INDENT':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'TAB_AS_INDENT':
    case 'DUPLICATE_KEY':
    case 'MISSING_CHAR':
    case 'BAD_SCALAR_START':
    case 'UNEXPECTED_TOKEN':
      return t(`yaml.error.${error.code}`)
    default:
      return error.message
  }
}

/** What follows the first problem of a line comes from it. */
const onePerLine = (problems: readonly Problem[]) =>
  problems.filter((each, index) => problems.findIndex((p) => p.line === each.line) === index)

const isEmpty = (doc: Document.Parsed<ParsedNode>) => doc.contents === null || (isScalar(doc.contents) && doc.contents.value === null)

/** A key, an index, or the item of a list that has this value under this key. */
export type PathPart = string | number | { readonly key: string; readonly value: string }

/**
 * The API's ways to name a field, in parts: "spec.containers[0].image", "metadata.labels[app.kubernetes.io/name]", and of
 * server-side apply `.spec.containers[name="web"].image`.
 */
export function fieldPath(field: string): PathPart[] {
  const parts: PathPart[] = []
  for (const match of field.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    const inside = match[2]
    if (match[1] !== undefined) parts.push(match[1])
    else if (inside !== undefined) {
      const keyed = /^([\w-]+)="([^"]*)"/.exec(inside)
      if (keyed) parts.push({ key: keyed[1] ?? '', value: keyed[2] ?? '' })
      else parts.push(/^\d+$/.test(inside) ? Number(inside) : inside.replaceAll(/^"|"$/g, ''))
    }
  }
  return parts
}

/** The range of a field's value (or of its key), or of the nearest thing around it that is there. */
export function rangeOf(doc: Document.Parsed<ParsedNode>, field: string, of: 'value' | 'key' = 'value'): [from: number, to: number] | null {
  let node: Node | null = doc.contents
  let range = doc.contents?.range ?? null
  for (const part of fieldPath(field)) {
    const next = step(node, part)
    if (!next) break
    const own: Node | null = (of === 'key' ? next.key : null) ?? next.value ?? next.key
    range = (isScalar(own) ? own.range : (next.key?.range ?? own?.range)) ?? range
    node = next.value
  }
  return range ? [range[0], range[1]] : null
}

interface Entry {
  readonly key: Node | null
  readonly value: Node | null
}

function step(node: Node | null, part: PathPart): Entry | undefined {
  const name = typeof part === 'object' ? part.value : String(part)
  if (isMap(node)) return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === name) as Entry | undefined
  if (!isSeq(node)) return undefined
  if (typeof part === 'number') return { key: null, value: (node.items[part] ?? null) as Node | null }
  if (typeof part === 'string') return undefined
  const item = node.items.find((each) => isMap(each) && String(each.get(part.key)) === part.value)
  return item ? { key: null, value: item as Node } : undefined
}

const ORDER = ['apiVersion', 'kind', 'metadata', 'spec', 'data', 'stringData', 'type', 'status']

/** An object as a person reads it: the usual fields first, without who owns which field. */
export function toYaml(object: unknown): string {
  return stringify(readable(object), { lineWidth: 0, aliasDuplicateObjects: false, sortMapEntries: false })
}

function readable(object: unknown): unknown {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return object
  const source = object as Record<string, unknown>
  const keys = [...ORDER.filter((key) => key in source), ...Object.keys(source).filter((key) => !ORDER.includes(key))]
  const result: Record<string, unknown> = {}
  for (const key of keys) result[key] = source[key]
  const { metadata } = result
  if (typeof metadata === 'object' && metadata !== null && 'managedFields' in metadata) {
    const { managedFields: _managedFields, ...rest } = metadata as Record<string, unknown>
    result['metadata'] = rest
  }
  return result
}
