/**
 * What became of the last attempt to place each pod that waits: which plugin refused which node and on what evidence, and what the
 * nodes that fit were given. Of very many waiting pods only the newest keep the details.
 */
import type { Clock } from '../../base/clock.ts'
import type { ScoreTable } from '../cycle/placement.ts'
import type { Diagnosis } from '../framework/diagnosis.ts'
import type { Evidence } from '../framework/evidence.ts'
import type { NodeStatuses } from '../framework/node-statuses.ts'
import { messageOfStatus, type Status } from '../framework/status.ts'
import type { QueuedPod } from '../queue/queued-pod.ts'

export interface AttemptRecord {
  readonly uid: string
  /** "namespace/name". */
  readonly pod: string
  /** In milliseconds since the epoch. */
  readonly at: number
  /** The how manyeth attempt it was; 0: the pod is held back, and was not tried. */
  readonly attempt: number
  readonly outcome: 'refused' | 'held back' | 'placed' | 'failed'
  /** As the pod's condition says it; "" while it is being bound. */
  readonly message: string
  /** How many nodes there were. */
  readonly nodes: number
  /** Where it was placed. */
  readonly node: string | null
  /** Each node's first refusal; null where details are not kept (any more), or there are none. */
  readonly verdicts: readonly Verdict[] | null
  readonly scores: ScoreTable | null
}

export interface Verdict {
  /** Null: all nodes that have no verdict of their own. */
  readonly node: string | null
  readonly plugin: string
  /** Whether taking other pods away may help. */
  readonly resolvable: boolean
  readonly reasons: readonly string[]
  readonly evidence: readonly Evidence[]
}

export interface Refusal {
  readonly nodes: number
  readonly message: string
  readonly diagnosis?: Diagnosis
}

type Summary = Omit<AttemptRecord, 'verdicts' | 'scores'>

interface Details {
  readonly statuses: NodeStatuses | null
  readonly scores: ScoreTable | null
  readonly weight: number
}

/** So many verdicts and scores of nodes are kept, of all pods together. */
const KEPT = 100_000

export class AttemptLedger {
  readonly #clock: Clock
  readonly #limit: number
  readonly #summaries = new Map<string, Summary>()
  /** The newest last. */
  readonly #details = new Map<string, Details>()
  #weight = 0

  constructor(clock: Clock, limit = KEPT) {
    this.#clock = clock
    this.#limit = limit
  }

  get(uid: string): AttemptRecord | undefined {
    const summary = this.#summaries.get(uid)
    if (!summary) return undefined
    const { statuses = null, scores = null } = this.#details.get(uid) ?? {}
    return { ...summary, verdicts: statuses && verdictsOf(statuses), scores }
  }

  /** No node did, or a plugin failed while they were looked at. */
  refused(pod: QueuedPod, { nodes, message, diagnosis }: Refusal): void {
    const outcome = diagnosis ? 'refused' : 'failed'
    const statuses = diagnosis?.statuses ?? null
    this.#set(this.#summary(pod, outcome, message, nodes, null), { statuses, scores: null, weight: statuses?.size ?? 0 })
  }

  /** A plugin does not let the pod be tried. */
  heldBack(pod: QueuedPod, status: Status): void {
    this.#set({ ...this.#summary(pod, 'held back', messageOfStatus(status), 0, null), attempt: 0 }, null)
  }

  /** It has a node, and is not bound yet. */
  placed(pod: QueuedPod, node: string, scores: ScoreTable | null): void {
    const nodes = scores?.nodes.length ?? 1
    this.#set(this.#summary(pod, 'placed', '', nodes, node), { statuses: null, scores, weight: scores ? nodes : 0 })
  }

  /** It was placed, but could not be kept there. The scores stay. */
  failed({ uid }: QueuedPod, message: string): void {
    const summary = this.#summaries.get(uid)
    if (summary) this.#summaries.set(uid, { ...summary, outcome: 'failed', message })
  }

  /** It waits no more. */
  forget(uid: string): void {
    this.#summaries.delete(uid)
    this.#drop(uid)
  }

  #summary(pod: QueuedPod, outcome: Summary['outcome'], message: string, nodes: number, node: string | null): Summary {
    const { uid, attempts, info } = pod
    return { uid, pod: info.key, at: this.#clock.now(), attempt: attempts, outcome, message, nodes, node }
  }

  #set(summary: Summary, details: Details | null): void {
    const { uid } = summary
    this.#summaries.set(uid, summary)
    this.#drop(uid)
    if (!details) return
    this.#details.set(uid, details)
    this.#weight += details.weight
    for (const oldest of this.#details.keys()) {
      if (this.#weight <= this.#limit) return
      this.#drop(oldest)
    }
  }

  #drop(uid: string): void {
    this.#weight -= this.#details.get(uid)?.weight ?? 0
    this.#details.delete(uid)
  }
}

function verdictsOf(statuses: NodeStatuses): Verdict[] {
  const verdicts = [...statuses.explicit()].map(([node, status]) => verdictOf(node, status))
  return statuses.absent.reasons.length > 0 ? [...verdicts, verdictOf(null, statuses.absent)] : verdicts
}

function verdictOf(node: string | null, status: Status): Verdict {
  const { plugin, code, reasons, evidence = [] } = status
  return { node, plugin, resolvable: code !== 'UnschedulableAndUnresolvable', reasons, evidence }
}
