import type { NodeInfo } from '../snapshot/node-info.ts'
import type { Code, Status } from './status.ts'

const UNASKED: Status = Object.freeze({ code: 'UnschedulableAndUnresolvable', reasons: [], plugin: '' })

/** Why each node does not do. Nodes that were not looked at share one status. Source: `scheduler/framework.NodeToStatus`. */
export class NodeStatuses {
  readonly #explicit = new Map<string, Status>()
  absent: Status = UNASKED

  /** How many nodes have a status of their own. */
  get size(): number {
    return this.#explicit.size
  }

  get(node: string): Status {
    return this.#explicit.get(node) ?? this.absent
  }

  set(node: string, status: Status): void {
    this.#explicit.set(node, status)
  }

  explicit(): Iterable<readonly [string, Status]> {
    return this.#explicit
  }

  /** The nodes whose status has this code. */
  withCode(nodes: readonly NodeInfo[], code: Code): NodeInfo[] {
    return nodes.filter(({ name }) => this.get(name).code === code)
  }
}
