/**
 * What was found out of single nodes for pods that ask for the same: kept until the node changes, so that the next pod of a workload
 * costs only the nodes that changed since the last one. Source of the idea: KEP-5598, opportunistic batching.
 */
import type { NodeInfo } from '../snapshot/node-info.ts'

/** One answer for each node of a snapshot. */
export class PerNode<T> {
  readonly #nodes: (NodeInfo | undefined)[] = []
  readonly #versions: number[] = []
  readonly #answers: (T | undefined)[] = []

  /** Undefined: there is none, or the node has changed. */
  find(node: NodeInfo): T | undefined {
    const { slot } = node
    return this.#nodes[slot] === node && this.#versions[slot] === node.version ? this.#answers[slot] : undefined
  }

  set(node: NodeInfo, answer: T): void {
    const { slot } = node
    // Without holes, which would make the arrays slow.
    while (this.#nodes.length <= slot) {
      this.#nodes.push(undefined)
      this.#versions.push(0)
      this.#answers.push(undefined)
    }
    this.#nodes[slot] = node
    this.#versions[slot] = node.version
    this.#answers[slot] = answer
  }
}

/** All that is kept for one demand; each plugin, or pair of them, has a name of its own. */
export class NodeAnswers {
  readonly #byName = new Map<string, unknown>()

  /** The caller knows what it keeps under a name. */
  of<T>(name: string): PerNode<T> {
    return this.keep<PerNode<T>>(name, () => new PerNode())
  }

  /** Something else than one answer of each node. */
  keep<T>(name: string, make: () => T): T {
    if (!this.#byName.has(name)) this.#byName.set(name, make())
    return this.#byName.get(name) as T
  }

  /** The same if it is kept. */
  find<T>(name: string): T | undefined {
    return this.#byName.get(name) as T | undefined
  }

  drop(name: string): void {
    this.#byName.delete(name)
  }
}

/** So many demands are remembered: those of the workloads that grow at the moment. */
const KEPT = 8

export class AnswersByDemand {
  readonly #byDemand = new Map<string, NodeAnswers>()

  /** The one that was not asked for longest is dropped where there are too many. */
  of(demand: string): NodeAnswers {
    const known = this.#byDemand.get(demand)
    if (known) this.#byDemand.delete(demand)
    const answers = known ?? new NodeAnswers()
    this.#byDemand.set(demand, answers)
    if (this.#byDemand.size > KEPT) this.#byDemand.delete(this.#byDemand.keys().next().value as string)
    return answers
  }
}
