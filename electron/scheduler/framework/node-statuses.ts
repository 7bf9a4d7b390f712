import type { NodeInfo } from '../snapshot/node-info.ts'
import type { Code, Status } from './status.ts'

const UNASKED: Status = Object.freeze({ code: 'UnschedulableAndUnresolvable', reasons: [], plugin: '' })

/** Nodes with their statuses, each node once. */
export interface Refusals {
  readonly size: number
  entries(): Iterable<readonly [string, Status]>
  /** How many nodes were refused with which words; the same words may come more than once. */
  reasons(): Iterable<readonly [readonly string[], number]>
  withCode(code: Code): readonly NodeInfo[]
}

/** Why each node does not do. Nodes that were not looked at share one status. Source: `scheduler/framework.NodeToStatus`. */
export class NodeStatuses {
  /** What was found while nodes were looked at one after the other, or is known of all of them. */
  readonly #found: Refusals
  readonly #list: RefusalList | null
  /** Made of it when somebody asks for a node by its name. */
  #explicit: Map<string, Status> | null = null
  absent: Status = UNASKED

  constructor(found: Refusals | null = null) {
    this.#list = found ? null : new RefusalList()
    this.#found = found ?? (this.#list as RefusalList)
  }

  /** How many nodes have a status of their own. */
  get size(): number {
    return this.#explicit?.size ?? this.#found.size
  }

  get(node: string): Status {
    return this.#byName().get(node) ?? this.absent
  }

  set(node: string, status: Status): void {
    this.#byName().set(node, status)
  }

  /** The same for a node that has no status yet. */
  add(node: NodeInfo, status: Status): void {
    if (this.#explicit || !this.#list) this.set(node.name, status)
    else this.#list.add(node, status)
  }

  explicit(): Iterable<readonly [string, Status]> {
    return this.#explicit ?? this.#found.entries()
  }

  /** How many nodes were refused with which words; the same words may come more than once. */
  reasons(): Iterable<readonly [readonly string[], number]> {
    if (this.#explicit) return this.#explicit.values().map(({ reasons }) => [reasons, 1] as const)
    return this.#found.reasons()
  }

  /** Those of the nodes whose status has this code. To be used before anything else is decided. */
  withCode(nodes: readonly NodeInfo[], code: Code): readonly NodeInfo[] {
    if (this.#explicit || this.absent.code === code) return nodes.filter(({ name }) => this.get(name).code === code)
    return this.#found.withCode(code)
  }

  #byName(): Map<string, Status> {
    return (this.#explicit ??= new Map(this.#found.entries()))
  }
}

/** How many nodes are refused with the very same words. */
interface Group {
  nodes: number
}

/** A list that grows, because most of it is only counted. */
class RefusalList implements Refusals {
  readonly #nodes: NodeInfo[] = []
  readonly #statuses: Status[] = []
  readonly #byCode = new Map<Code, NodeInfo[]>()
  readonly #byReasons = new Map<readonly string[], Group>()
  /** Where the last one went: the next one is mostly like it. */
  #last: { readonly code: Code; readonly nodes: NodeInfo[]; readonly reasons: readonly string[]; readonly group: Group } | null = null

  get size(): number {
    return this.#nodes.length
  }

  add(node: NodeInfo, status: Status): void {
    const { code, reasons } = status
    this.#nodes.push(node)
    this.#statuses.push(status)
    if (this.#last?.code !== code || this.#last.reasons !== reasons) {
      const nodes = this.#byCode.get(code) ?? []
      const group = this.#byReasons.get(reasons) ?? { nodes: 0 }
      this.#byCode.set(code, nodes)
      this.#byReasons.set(reasons, group)
      this.#last = { code, nodes, reasons, group }
    }
    this.#last.nodes.push(node)
    this.#last.group.nodes++
  }

  *entries(): Iterable<readonly [string, Status]> {
    for (const [i, { name }] of this.#nodes.entries()) yield [name, this.#statuses[i] as Status]
  }

  reasons(): Iterable<readonly [readonly string[], number]> {
    return this.#byReasons.entries().map(([reasons, { nodes }]) => [reasons, nodes] as const)
  }

  withCode(code: Code): readonly NodeInfo[] {
    return this.#byCode.get(code) ?? []
  }
}
