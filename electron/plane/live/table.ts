/** One kind, followed once however many look at it: its objects with what the lists read of them. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { Around, ListFacts } from '../../contracts/lists/facts.ts'
import { follow, type Followed } from './follow.ts'
import { Pace } from './pace.ts'

export interface Row {
  readonly uid: string
  /** The present version. */
  object: KubeObject
  /** Bit n: it is in the nth chip. */
  mask: number
  /** Differs for different rows: "shop/web". */
  readonly tie: string
  /** What the filter searches; made when it is first asked for. */
  haystack: string | null
}

export interface TableListener {
  /** Everything is there, or again after a loss. */
  ready?(): void
  changed(row: Row, gone: boolean): void
  stale?(since: string, why: string): void
  failed?(error: unknown): void
}

export interface TableDeps {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
}

/** How often what reads differently as time goes by is read again, in milliseconds. */
const AGEING_MS = 5000

export class ListTable implements Disposable {
  readonly kind: AnyKind
  readonly facts: ListFacts
  readonly chips: readonly string[]
  readonly rows = new Map<string, Row>()
  readonly #deps: TableDeps
  readonly #around: Around
  readonly #listeners = new Set<TableListener>()
  readonly #abort = new AbortController()
  readonly #ageing: Disposable
  readonly #moving = new Set<Row>()
  #synced = false
  #failure: { readonly error: unknown } | null = null

  constructor(kind: AnyKind, facts: ListFacts, around: Around, deps: TableDeps) {
    this.kind = kind
    this.facts = facts
    this.chips = Object.keys(facts.chips)
    this.#around = around
    this.#deps = deps
    this.#ageing = deps.clock.setInterval(() => this.#age(), AGEING_MS, { unref: true })
    void this.#run()
  }

  get around(): Around {
    return this.#around
  }
  get synced(): boolean {
    return this.#synced
  }
  get failed(): boolean {
    return this.#failure !== null
  }

  /** The listener is told at once how things stand. */
  on(listener: TableListener): Disposable {
    this.#listeners.add(listener)
    if (this.#failure) listener.failed?.(this.#failure.error)
    else if (this.#synced) listener.ready?.()
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Something that the facts read beside the object has changed. */
  touch(uid: string): void {
    const row = this.rows.get(uid)
    if (row) this.#read(row)
  }

  haystack(row: Row): string {
    if (row.haystack !== null) return row.haystack
    const { metadata } = row.object
    const words = [metadata.name, metadata.namespace, ...(this.facts.words?.(row.object, this.#around) ?? [])]
    for (const [key, value] of Object.entries(metadata.labels ?? {})) words.push(`${key}=${value}`)
    return (row.haystack = words.filter(Boolean).join(' ').toLowerCase())
  }

  [Symbol.dispose](): void {
    this.#ageing[Symbol.dispose]()
    this.#abort.abort(new DOMException('nobody looks any more', 'AbortError'))
  }

  async #run(): Promise<void> {
    try {
      await follow(this.#deps, { kind: this.kind }, (update) => this.#take(update), this.#abort.signal)
    } catch (error) {
      if (this.#abort.signal.aborted) return
      this.#failure = { error }
      for (const listener of this.#listeners) listener.failed?.(error)
    }
  }

  async #take(update: Followed): Promise<void> {
    if (update.type === 'stale') {
      for (const listener of this.#listeners) listener.stale?.(update.since, update.why)
      return
    }
    if (update.type === 'changes') {
      for (const object of update.upserts) this.#upsert(object)
      for (const uid of update.deletes) this.#delete(uid)
      return
    }
    const pace = new Pace(this.#deps.clock)
    const there = new Set<string>()
    for (const object of update.items) {
      there.add(object.metadata.uid)
      this.#upsert(object)
      if (pace.tired) await pace.rest()
    }
    for (const uid of [...this.rows.keys()]) if (!there.has(uid)) this.#delete(uid)
    this.#synced = true
    for (const listener of this.#listeners) listener.ready?.()
  }

  #upsert(object: KubeObject): void {
    const { uid, namespace, name } = object.metadata
    const known = this.rows.get(uid)
    if (known?.object.metadata.resourceVersion === object.metadata.resourceVersion) return
    const row = known ?? { uid, object, mask: 0, tie: namespace === undefined ? name : `${namespace}/${name}`, haystack: null }
    row.object = object
    this.rows.set(uid, row)
    this.#read(row)
  }

  #delete(uid: string): void {
    const row = this.rows.get(uid)
    if (!row) return
    this.rows.delete(uid)
    this.#moving.delete(row)
    for (const listener of this.#listeners) listener.changed(row, true)
  }

  #read(row: Row): void {
    row.haystack = null
    row.mask = 0
    for (const [index, id] of this.chips.entries()) if (this.facts.chips[id]?.(row.object, this.#around)) row.mask |= 1 << index
    if (this.facts.moves?.(row.object, this.#around.now)) this.#moving.add(row)
    else this.#moving.delete(row)
    for (const listener of this.#listeners) listener.changed(row, false)
  }

  #age(): void {
    for (const row of [...this.#moving]) this.#read(row)
  }
}
