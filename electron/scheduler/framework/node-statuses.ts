import type { NodeInfo } from '../snapshot/node-info.ts'
import type { Code, Status } from './status.ts'

const UNASKED: Status = Object.freeze({ code: 'UnschedulableAndUnresolvable', reasons: [], plugin: '' })

/** How many nodes are refused with the very same words. */
interface Group {
  nodes: number
}

/** Why each node does not do. Nodes that were not looked at share one status. Source: `scheduler/framework.NodeToStatus`. */
export class NodeStatuses {
  /** What was found while nodes were looked at one after the other: a list, because most of it is only counted. */
  readonly #nodes: NodeInfo[] = []
  readonly #statuses: Status[] = []
  readonly #byCode = new Map<Code, NodeInfo[]>()
  readonly #byReasons = new Map<readonly string[], Group>()
  /** Where the last one went: the next one is mostly like it. */
  #last: { readonly code: Code; readonly nodes: NodeInfo[]; readonly reasons: readonly string[]; readonly group: Group } | null = null
  /** Made of it when somebody asks for a node by its name. */
  #explicit: Map<string, Status> | null = null
  absent: Status = UNASKED

  /** How many nodes have a status of their own. */
  get size(): number {
    return this.#explicit?.size ?? this.#nodes.length
  }

  get(node: string): Status {
    return this.#byName().get(node) ?? this.absent
  }

  set(node: string, status: Status): void {
    this.#byName().set(node, status)
  }

  /** The same for a node that has no status yet. */
  add(node: NodeInfo, status: Status): void {
    if (this.#explicit) {
      this.#explicit.set(node.name, status)
      return
    }
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

  *explicit(): Iterable<readonly [string, Status]> {
    if (this.#explicit) return yield* this.#explicit
    for (const [i, { name }] of this.#nodes.entries()) yield [name, this.#statuses[i] as Status]
  }

  /** How many nodes were refused with which words; the same words may come more than once. */
  reasons(): Iterable<readonly [readonly string[], number]> {
    if (this.#explicit) return this.#explicit.values().map(({ reasons }) => [reasons, 1] as const)
    return this.#byReasons.entries().map(([reasons, { nodes }]) => [reasons, nodes] as const)
  }

  /** Those of the nodes whose status has this code. */
  withCode(nodes: readonly NodeInfo[], code: Code): readonly NodeInfo[] {
    if (this.#explicit || this.absent.code === code) return nodes.filter(({ name }) => this.get(name).code === code)
    return this.#byCode.get(code) ?? []
  }

  #byName(): Map<string, Status> {
    if (this.#explicit) return this.#explicit
    const byName = new Map<string, Status>()
    for (const [i, { name }] of this.#nodes.entries()) byName.set(name, this.#statuses[i] as Status)
    return (this.#explicit = byName)
  }
}
