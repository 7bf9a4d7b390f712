/**
 * A set of paths into an object: which fields someone owns. A path that is a member says nothing of those below it. Sets are not
 * changed once they are shared; operations give new ones that share what they can. Source: structured-merge-diff `fieldpath.Set`.
 */
import { isObject, setOwn, type JsonObject } from '../json-value.ts'
import type { Type } from '../schema/type.ts'
import { compareElements, fieldElement, parseElement, type PathElement } from './path-element.ts'

export class FieldSet {
  #members: Set<PathElement> | null
  #children: Map<PathElement, FieldSet> | null
  /** What the set was read from, as long as nobody has looked into it. */
  #unread: JsonObject | null = null
  /** The same set as `fieldsV1`, where that is known. */
  #written: JsonObject | null = null

  constructor(members: Set<PathElement> | null = null, children: Map<PathElement, FieldSet> | null = null) {
    this.#members = members
    this.#children = children
  }

  /** A set of paths of fields: `['spec.replicas', 'status']`. */
  static ofFields(...paths: string[]): FieldSet {
    const set = new FieldSet()
    for (const path of paths) set.insert(path.split('.').map(fieldElement))
    return set
  }

  get members(): ReadonlySet<PathElement> {
    this.#read()
    return this.#members ?? NO_MEMBERS
  }

  /** What is further down. An element may be a member, have something below it, or both. */
  get children(): ReadonlyMap<PathElement, FieldSet> {
    this.#read()
    return this.#children ?? NO_CHILDREN
  }

  /** Only for sets that nobody else has yet. */
  add(element: PathElement): void {
    this.#members ??= new Set()
    this.#members.add(element)
  }

  /** Only for sets that nobody else has yet. Empty sets are left out. */
  put(element: PathElement, below: FieldSet | null): void {
    if (!below || below.isEmpty) return
    this.#children ??= new Map()
    this.#children.set(element, below)
  }

  /** Only for sets that nobody else has yet. */
  insert(path: readonly PathElement[]): void {
    const [first, ...rest] = path
    if (first === undefined) return
    if (rest.length === 0) return this.add(first)
    const child = this.#children?.get(first) ?? new FieldSet()
    child.insert(rest)
    this.put(first, child)
  }

  get isEmpty(): boolean {
    if (this.#unread) return false
    if (this.#members && this.#members.size > 0) return false
    if (this.#children) for (const child of this.#children.values()) if (!child.isEmpty) return false
    return true
  }

  has(path: readonly PathElement[]): boolean {
    const [first, ...rest] = path
    if (first === undefined) return false
    return rest.length === 0 ? this.members.has(first) : (this.children.get(first)?.has(rest) ?? false)
  }

  union(other: FieldSet): FieldSet {
    if (other === this || other.isEmpty) return this
    if (this.isEmpty) return other
    const children = new Map(this.children)
    for (const [element, child] of other.children) {
      const own = children.get(element)
      children.set(element, own ? own.union(child) : child)
    }
    return new FieldSet(this.members.union(other.members), children)
  }

  intersection(other: FieldSet): FieldSet {
    const out = new FieldSet()
    if (this.isEmpty || other.isEmpty) return out
    for (const element of other.members) if (this.members.has(element)) out.add(element)
    for (const [element, child] of other.children) {
      const own = this.children.get(element)
      if (own) out.put(element, own.intersection(child))
    }
    return out
  }

  /** Without the members of the other; what is below them stays. */
  difference(other: FieldSet): FieldSet {
    return this.#without(other, false)
  }

  /** Without the members of the other and all that is below them. */
  withoutTrees(other: FieldSet): FieldSet {
    return this.#without(other, true)
  }

  /** The same set if nothing goes. */
  #without(other: FieldSet, trees: boolean): FieldSet {
    if (this.isEmpty || other.isEmpty) return this
    const members = other.members.isDisjointFrom(this.members) ? null : this.members.difference(other.members)
    let children: Map<PathElement, FieldSet> | null = null
    for (const [element, theirs] of other.children) {
      const own = this.children.get(element)
      if (!own) continue
      const left = own.#without(theirs, trees)
      if (left === own) continue
      children ??= new Map(this.children)
      if (left.isEmpty) children.delete(element)
      else children.set(element, left)
    }
    if (trees) {
      for (const element of other.members) {
        if (!this.children.has(element)) continue
        children ??= new Map(this.children)
        children.delete(element)
      }
    }
    if (!members && !children) return this
    return new FieldSet(members ?? new Set(this.members), children ?? new Map(this.children))
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
    for (const element of sorted(this.members)) yield [...prefix, element]
    for (const element of sorted(this.children.keys())) yield* this.children.get(element)?.paths([...prefix, element]) ?? []
  }

  /** `fieldsV1`: `{"f:spec":{"f:ports":{".":{},"k:{\"port\":80}":{}}}}`. Not to be changed. */
  toFieldsV1(): JsonObject {
    if (this.#written) return this.#written
    const out: JsonObject = {}
    for (const element of sorted(new Set([...this.members, ...this.children.keys()]))) {
      const below = this.children.get(element)
      const inner = below && !below.isEmpty ? below.toFieldsV1() : null
      if (inner) setOwn(out, element, this.members.has(element) ? { '.': {}, ...inner } : inner)
      else if (this.members.has(element)) setOwn(out, element, {})
    }
    this.#written = out
    return out
  }

  /** Elements of unknown kinds are left out. Throws SyntaxError. */
  static fromFieldsV1(fields: unknown): FieldSet {
    return readWhole(fields).set
  }

  /** The same for what `toFieldsV1` wrote: each part of it is read when it is first looked into. */
  static fromWritten(fields: JsonObject): FieldSet {
    const set = new FieldSet()
    if (Object.keys(fields).length === 0) return set
    set.#unread = fields
    set.#written = fields
    return set
  }

  #read(): void {
    const unread = this.#unread
    if (!unread) return
    this.#unread = null
    for (const [element, value] of Object.entries(unread)) {
      if (element === '.' || !isObject(value)) continue
      const isMember = '.' in value
      const below = FieldSet.fromWritten(value)
      if (isMember) below.#written = null
      if (isMember || below.isEmpty) this.add(element)
      if (!isMember || Object.keys(value).length > 1) this.put(element, below)
    }
  }
}

function readWhole(fields: unknown): { set: FieldSet; isMember: boolean } {
  if (!isObject(fields)) throw new SyntaxError('fieldsV1 must hold objects')
  const set = new FieldSet()
  let isMember = false
  for (const [text, value] of Object.entries(fields)) {
    if (text === '.') {
      isMember = true
      continue
    }
    const element = parseElement(text)
    if (element === null) continue
    const below = readWhole(value)
    if (below.isMember) set.add(element)
    set.put(element, below.set)
  }
  return { set, isMember: isMember || set.isEmpty }
}

const NO_MEMBERS: ReadonlySet<PathElement> = new Set()
const NO_CHILDREN: ReadonlyMap<PathElement, FieldSet> = new Map()

function sorted(elements: Iterable<PathElement>): PathElement[] {
  const list = [...elements]
  return list.every((element) => element.startsWith('f:')) ? list.sort() : list.sort(compareElements)
}

function typeBelow(type: Type | undefined, element: PathElement): Type | undefined {
  if (type?.kind === 'struct' && element.startsWith('f:')) return type.fields.get(element.slice(2))?.type
  if (type?.kind === 'map' && element.startsWith('f:')) return type.values
  return type?.kind === 'list' && element.startsWith('k:') ? type.items : undefined
}
