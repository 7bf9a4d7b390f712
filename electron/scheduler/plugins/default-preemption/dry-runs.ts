import type { PodDisruptionBudget } from '../../../api/policy/v1/types.gen.ts'
import type { Nominated } from '../../framework/descriptor.ts'
import type { Status } from '../../framework/status.ts'
import { KeyedHeap } from '../../queue/heap.ts'
import { ChangeReader } from '../../snapshot/change-log.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { SnapshotView } from '../../snapshot/snapshot.ts'
import { isBetter, type Candidate } from './ranks.ts'

export type DryRun = Candidate | Status

/** Whom pods of one demand would displace on each node, and the best of these nodes, as long as nothing changes there. */
export class DryRuns {
  /** By slot. */
  #nodes: NodeInfo[] = []
  #found: (DryRun | undefined)[] = []
  #candidates = new KeyedHeap<Candidate>(({ node }) => node, isBetter)
  #clean = 0
  #budgets = ''
  readonly #changes = new ChangeReader()
  readonly #promises = new ChangeReader()

  /** Forgets what does not hold any more. */
  renew(snapshot: SnapshotView, nominated: Nominated, budgets: readonly PodDisruptionBudget[]): void {
    const forget = (name: string) => {
      if (this.#candidates.delete(name)?.victims.violations === 0) this.#clean--
      const slot = snapshot.node(name)?.slot ?? -1
      if (slot >= 0 && slot < this.#found.length) this.#found[slot] = undefined
    }
    const state = budgets.map(({ metadata }) => `${metadata.uid}/${metadata.resourceVersion}`).join()
    const isToldAll = this.#changes.catchUp(snapshot.changes, forget)
    if (this.#promises.catchUp(nominated.changes, forget) && isToldAll && state === this.#budgets) return
    this.#budgets = state
    this.#nodes = []
    this.#found = []
    this.#candidates = new KeyedHeap(({ node }) => node, isBetter)
    this.#clean = 0
  }

  /** On how many nodes somebody could be displaced, and of these, without a budget that forbids it. */
  get candidates(): number {
    return this.#candidates.size
  }
  get clean(): number {
    return this.#clean
  }

  best(): Candidate | undefined {
    return this.#candidates.peek()
  }

  find(node: NodeInfo): DryRun | undefined {
    return this.#nodes[node.slot] === node ? this.#found[node.slot] : undefined
  }

  set(node: NodeInfo, found: DryRun): DryRun {
    const { slot } = node
    // Without holes, which would make the arrays slow.
    while (this.#nodes.length <= slot) {
      this.#nodes.push(node)
      this.#found.push(undefined)
    }
    this.#nodes[slot] = node
    this.#found[slot] = found
    if ('code' in found || found.victims.pods.length === 0) return found
    this.#candidates.set(found)
    if (found.victims.violations === 0) this.#clean++
    return found
  }
}
