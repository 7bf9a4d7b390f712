/** Why a pod fits nowhere, and how kube-scheduler says so. Source: `scheduler/framework.Diagnosis`, `FitError`. */
import { NodeStatuses, type Refusals } from './node-statuses.ts'
import { isRejected, type Status } from './status.ts'

export class Diagnosis {
  readonly statuses: NodeStatuses
  /** Plugins that refused; what they have registered for may let the pod be tried again. */
  readonly rejectors = new Set<string>()
  /** Plugins that the pod waits for. */
  readonly pending = new Set<string>()
  preFilterMessage = ''
  postFilterMessage = ''

  constructor(found: Refusals | null = null) {
    this.statuses = new NodeStatuses(found)
  }

  blame(status: Status): void {
    if (!status.plugin) return
    if (status.code === 'Pending') this.pending.add(status.plugin)
    else if (isRejected(status)) this.rejectors.add(status.plugin)
  }

  /** "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …" */
  message(nodes: number): string {
    const head = `0/${nodes} nodes are available:`
    const body = this.preFilterMessage || this.#reasons(nodes)
    return [head, body && `${body}.`, this.postFilterMessage].filter(Boolean).join(' ')
  }

  /** Each reason with the number of nodes that it stands for, sorted as text. */
  #reasons(nodes: number): string {
    const counts = new Map<string, number>()
    const count = (reasons: readonly string[], times: number) => {
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + times)
    }
    for (const [reasons, times] of this.statuses.reasons()) count(reasons, times)
    if (this.statuses.size < nodes) count(this.statuses.absent.reasons, nodes - this.statuses.size)
    return [...counts]
      .map(([reason, times]) => `${times} ${reason}`)
      .sort((a, b) => (a < b ? -1 : 1))
      .join(', ')
  }
}

/** What there is to say where the cluster has no node at all. */
export const NO_NODES = 'no nodes available to schedule pods'
