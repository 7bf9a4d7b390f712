/**
 * A set of paths into an object: which fields someone owns. A path that is a member says nothing of those below it. Sets are not
 * changed once they are shared; operations give new ones that share what they can. Source: structured-merge-diff `fieldpath.Set`.
 */
import { isObject, setOwn, type JsonObject } from '../json-value.ts'
import type { Type } from '../schema/type.ts'
import { compareElements, fieldElement, parseElement, type PathElement } from './path-element.ts'

export class FieldSet {
  readonly members: Set<PathElement>
  /** What is further down. An element may be a member, have something below it, or both. */
  readonly children: Map<PathElement, FieldSet>

  constructor(members: Iterable<PathElement> = [], children: Iterable<readonly [PathElement, FieldSet]> = []) {
    this.members = new Set(members)
    this.children = new Map(children)
  }

  /** A set of paths of fields: `['spec.replicas', 'status']`. */
  static ofFields(...paths: string[]): FieldSet {
    const set = new FieldSet()
    for (const path of paths) set.insert(path.split('.').map(fieldElement))
    return set
  }

  /** Only for sets that nobody else has yet. */
  insert(path: readonly PathElement[]): void {
    const last = path.at(-1)
    if (last === undefined) return
    if (path.length === 1) {
      this.members.add(last)
      return
    }
    const [first = ''] = path
    let child = this.children.get(first)
    if (!child) this.children.set(first, (child = new FieldSet()))
    child.insert(path.slice(1))
  }

  get isEmpty(): boolean {
    if (this.members.size > 0) return false
    for (const child of this.children.values()) if (!child.isEmpty) return false
    return true
  }

  has(path: readonly PathElement[]): boolean {
    const [first, ...rest] = path
    if (first === undefined) return false
    return rest.length === 0 ? this.members.has(first) : (this.children.get(first)?.has(rest) ?? false)
  }

  union(other: FieldSet): FieldSet {
    if (other === this || (other.members.size === 0 && other.children.size === 0)) return this
    if (this.members.size === 0 && this.children.size === 0) return other
    const children = new Map(this.children)
    for (const [element, child] of other.children) {
      const own = children.get(element)
      children.set(element, own ? own.union(child) : child)
    }
    return new FieldSet(this.members.union(other.members), children)
  }

  intersection(other: FieldSet): FieldSet {
    return new FieldSet(
      this.members.intersection(other.members),
      mapChildren(this.children, (child, element) => {
        const theirs = other.children.get(element)
        return theirs ? child.intersection(theirs) : null
      }),
    )
  }

  /** Without the members of the other; what is below them stays. */
  difference(other: FieldSet): FieldSet {
    if (other.members.size === 0 && other.children.size === 0) return this
    return new FieldSet(
      this.members.difference(other.members),
      mapChildren(this.children, (child, element) => {
        const theirs = other.children.get(element)
        return theirs ? child.difference(theirs) : child
      }),
    )
  }

  /** Without the members of the other and all that is below them. */
  withoutTrees(other: FieldSet): FieldSet {
    return new FieldSet(
      this.members.difference(other.members),
      mapChildren(this.children, (child, element) => {
        if (other.members.has(element)) return null
        const theirs = other.children.get(element)
        return theirs ? child.withoutTrees(theirs) : child
      }),
    )
  }

  /** With every named field that leads to a member as a member too; keys of maps and items of lists are not named fields. */
  withNamedFields(type: Type | undefined): FieldSet {
    const members = new Set(this.members)
    const children = new Map<PathElement, FieldSet>()
    for (const [element, child] of this.children) {
      const known = type?.kind === 'struct' && element.startsWith('f:') && type.fields.has(element.slice(2))
      if (known) members.add(element)
      children.set(element, child.withNamedFields(typeBelow(type, element)))
    }
    return new FieldSet(members, children)
  }

  equals(other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty
  }

  /** All members in the order in which sets are written, those of a level before what is below. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    for (const element of [...this.members].sort(compareElements)) yield [...prefix, element]
    for (const [element, child] of [...this.children].sort(([a], [b]) => compareElements(a, b))) yield* child.paths([...prefix, element])
  }

  /** `fieldsV1`: `{"f:spec":{"f:ports":{".":{},"k:{\"port\":80}":{}}}}`. */
  toFieldsV1(): JsonObject {
    const out: JsonObject = {}
    const elements = [...new Set([...this.members, ...this.children.keys()])].sort(compareElements)
    for (const element of elements) {
      const child = this.children.get(element)
      const below = child && !child.isEmpty ? child.toFieldsV1() : {}
      if (!this.members.has(element) && Object.keys(below).length === 0) continue
      setOwn(out, element, this.members.has(element) && Object.keys(below).length > 0 ? { '.': {}, ...below } : below)
    }
    return out
  }

  /** Elements of unknown kinds are left out. Throws SyntaxError. */
  static fromFieldsV1(fields: unknown): FieldSet {
    return read(fields).set
  }
}

function read(fields: unknown): { set: FieldSet; isMember: boolean } {
  if (!isObject(fields)) throw new SyntaxError('fieldsV1 must hold objects')
  const set = new FieldSet()
  let self = false
  for (const [text, value] of Object.entries(fields)) {
    if (text === '.') {
      self = true
      continue
    }
    const element = parseElement(text)
    if (element === null) continue
    const { set: below, isMember } = read(value)
    if (isMember) set.members.add(element)
    if (below.members.size > 0 || below.children.size > 0) set.children.set(element, below)
  }
  return { set, isMember: self || (set.members.size === 0 && set.children.size === 0) }
}

function* mapChildren(
  children: ReadonlyMap<PathElement, FieldSet>,
  map: (child: FieldSet, element: PathElement) => FieldSet | null,
): Generator<readonly [PathElement, FieldSet]> {
  for (const [element, child] of children) {
    const mapped = map(child, element)
    if (mapped && !mapped.isEmpty) yield [element, mapped]
  }
}

function typeBelow(type: Type | undefined, element: PathElement): Type | undefined {
  if (type?.kind === 'struct' && element.startsWith('f:')) return type.fields.get(element.slice(2))?.type
  if (type?.kind === 'map' && element.startsWith('f:')) return type.values
  return type?.kind === 'list' && element.startsWith('k:') ? type.items : undefined
}
