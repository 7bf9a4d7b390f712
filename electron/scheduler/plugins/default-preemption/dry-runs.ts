import type { PodDisruptionBudget } from '../../../api/policy/v1/types.gen.ts'
import type { Nominated } from '../../framework/descriptor.ts'
import type { Status } from '../../framework/status.ts'
import { ChangeReader } from '../../snapshot/change-log.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { SnapshotView } from '../../snapshot/snapshot.ts'
import type { Candidate } from './candidates.ts'

type Found = Candidate | Status

/** Whom pods of one demand would displace on each node, as long as nothing changes there. */
export class DryRuns {
  /** By slot. */
  #nodes: NodeInfo[] = []
  #found: (Found | undefined)[] = []
  #budgets = ''
  readonly #changes = new ChangeReader()
  readonly #promises = new ChangeReader()

  /** Forgets what does not hold any more. */
  renew(snapshot: SnapshotView, nominated: Nominated, budgets: readonly PodDisruptionBudget[]): void {
    const forget = (name: string) => {
      const slot = snapshot.node(name)?.slot ?? -1
      if (slot >= 0 && slot < this.#found.length) this.#found[slot] = undefined
    }
    const state = budgets.map(({ metadata }) => `${metadata.uid}/${metadata.resourceVersion}`).join()
    const isToldAll = this.#changes.catchUp(snapshot.changes, forget)
    if (this.#promises.catchUp(nominated.changes, forget) && isToldAll && state === this.#budgets) return
    this.#budgets = state
    this.#nodes = []
    this.#found = []
  }

  find(node: NodeInfo): Found | undefined {
    return this.#nodes[node.slot] === node ? this.#found[node.slot] : undefined
  }

  set(node: NodeInfo, found: Found): Found {
    const { slot } = node
    // Without holes, which would make the arrays slow.
    while (this.#nodes.length <= slot) {
      this.#nodes.push(node)
      this.#found.push(undefined)
    }
    this.#nodes[slot] = node
    this.#found[slot] = found
    return found
  }
}
