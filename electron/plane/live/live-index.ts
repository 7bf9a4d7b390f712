/** The tables that somebody looks at, each followed once; they outlive their last viewer a little. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { listFacts } from '../../contracts/lists/kinds.ts'
import { printedFacts } from '../../contracts/lists/printed.ts'
import type { Around } from '../../contracts/lists/facts.ts'
import { Owners } from './owners.ts'
import { printedKind } from './printed.ts'
import { ListTable, type TableDeps } from './table.ts'

export interface Named {
  readonly group: string
  readonly version: string
  readonly resource: string
}

export interface HeldTable extends Disposable {
  readonly table: ListTable
}

interface Shared {
  readonly table: ListTable
  readonly parts: DisposableStack
  viewers: number
  ending: Disposable | null
}

/** Milliseconds that a table outlives its last viewer. */
const LINGER_MS = 60_000
/** How often workloads are read again whose pods have changed, in milliseconds. */
const TELL_MS = 250

const PODS: Named = { group: '', version: 'v1', resource: 'pods' }
const REPLICA_SETS: Named = { group: 'apps', version: 'v1', resource: 'replicasets' }

export class LiveIndex {
  readonly #deps: TableDeps & { readonly kinds: readonly AnyKind[] }
  readonly #tables = new Map<string, Shared>()
  readonly #told = new Set<string>()
  readonly #around: Around
  #telling: Disposable | null = null
  readonly owners: Owners

  constructor(deps: TableDeps & { readonly kinds: readonly AnyKind[] }) {
    this.#deps = deps
    this.owners = new Owners(
      () => deps.clock.now(),
      (uid) => this.#tell(uid),
    )
    const { clock } = deps
    const owners = this.owners
    this.#around = {
      get now() {
        return clock.now()
      },
      worstPod: (uid) => owners.worst(uid),
      ownerOf: (object: KubeObject) => {
        const { kind, namespace, name } = owners.workload(object)
        return kind === object.kind && name === object.metadata.name ? '' : `${kind} ${namespace ? `${namespace}/` : ''}${name}`
      },
    }
  }

  /** Throws the Status of a kind that is not served. */
  async open(named: Named): Promise<HeldTable> {
    const key = `${named.group}/${named.version}/${named.resource}`
    return this.#tables.has(key) ? this.#hold(key) : this.#make(key, await this.#kindOf(named))
  }

  /** The kind as the API has it; with what the server prints of it, where the UI has no list of its own. */
  async #kindOf({ group, version, resource }: Named): Promise<AnyKind> {
    const known = this.#deps.kinds.find((k) => k.group === group && k.version === version && k.resource === resource)
    return known ?? (await printedKind(this.#deps.client, { group, version, resource }))
  }

  #make(key: string, kind: AnyKind): HeldTable {
    // Somebody else may have asked meanwhile.
    if (this.#tables.has(key)) return this.#hold(key)
    const table = new ListTable(kind, listFacts(kind.group, kind.resource) ?? printedFacts(kind.columns), this.#around, this.#deps)
    const parts = new DisposableStack()
    parts.use(table)
    this.#tables.set(key, { table, parts, viewers: 0, ending: null })
    if (kind.group === '' && kind.resource === 'pods') {
      const sets = parts.use(this.#builtIn(REPLICA_SETS)).table
      parts.use(this.owners.followSets(sets, (uid) => table.touch(uid)))
      parts.use(this.owners.followPods(table))
    } else if (table.facts.hasPods) parts.use(this.#builtIn(PODS))
    return this.#hold(key)
  }

  #builtIn(named: Named): HeldTable {
    const key = `${named.group}/${named.version}/${named.resource}`
    if (this.#tables.has(key)) return this.#hold(key)
    const kind = this.#deps.kinds.find((k) => k.group === named.group && k.resource === named.resource)
    if (!kind) throw new Error(`${named.resource} is not built in`)
    return this.#make(key, kind)
  }

  #hold(key: string): HeldTable {
    const shared = this.#tables.get(key)
    if (!shared) throw new Error(`no table ${key}`)
    shared.viewers++
    shared.ending?.[Symbol.dispose]()
    shared.ending = null
    let released = false
    return {
      table: shared.table,
      [Symbol.dispose]: () => {
        if (released) return
        released = true
        if (--shared.viewers > 0) return
        const end = () => {
          if (this.#tables.get(key) === shared) this.#tables.delete(key)
          shared.parts[Symbol.dispose]()
        }
        // What has failed is tried anew by the next who looks.
        if (shared.table.failed) end()
        else shared.ending = this.#deps.clock.setTimeout(end, LINGER_MS, { unref: true })
      },
    }
  }

  #tell(uid: string): void {
    this.#told.add(uid)
    if (this.#telling) return
    this.#telling = this.#deps.clock.setTimeout(
      () => {
        this.#telling = null
        const told = [...this.#told]
        this.#told.clear()
        for (const { table } of this.#tables.values()) if (table.facts.hasPods) for (const each of told) table.touch(each)
      },
      TELL_MS,
      { unref: true },
    )
  }
}
