/** On which nodes a pod could displace others, and which of them is best. Source: `scheduler/framework/preemption`. */
import { randomInt } from '../../../base/random.ts'
import type { Attempt } from '../../framework/attempt.ts'
import type { Handle } from '../../framework/descriptor.ts'
import type { NodeStatuses } from '../../framework/node-statuses.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import { DryRuns, type DryRun } from './dry-runs.ts'
import { bestCandidate, candidate, type Candidate } from './ranks.ts'
import { selectVictims } from './victims.ts'

export interface CandidateLimits {
  /** Of the nodes that come into question, at least so many are tried. */
  readonly minCandidateNodesPercentage: number
  readonly minCandidateNodesAbsolute: number
}

/** The search for a place for one pod, among nodes that refuse it. */
export class CandidateSearch {
  readonly #nodes: readonly NodeInfo[]
  /** So many candidates are enough. */
  readonly #wanted: number
  readonly #offset: number
  readonly #runs: DryRuns | null
  readonly #dryRun: (node: NodeInfo) => DryRun
  /** The node that the pod was promised; others think otherwise of it. */
  readonly #own: string | undefined

  constructor(handle: Handle, attempt: Attempt, pod: PodInfo, nodes: readonly NodeInfo[], limits: CandidateLimits) {
    const share = Math.trunc((nodes.length * limits.minCandidateNodesPercentage) / 100)
    this.#nodes = nodes
    this.#wanted = Math.min(Math.max(share, limits.minCandidateNodesAbsolute), nodes.length)
    this.#offset = randomInt(handle.random, nodes.length)
    this.#own = handle.nominated.nodeOf(pod.uid)
    const budgets = attempt.snapshot.objects.disruptionBudgets()
    this.#runs = dryRunsOf(attempt)
    this.#runs?.renew(attempt.snapshot, handle.nominated, budgets)
    this.#dryRun = (node) => {
      const victims = selectVictims(handle, attempt.fork(), pod, node.copy(), budgets)
      return 'code' in victims ? victims : candidate(node.name, victims)
    }
  }

  /** Tries nodes from a random one on, until there are enough; those that break no budget come first. Says in `failures` why others do not do. */
  all(failures: NodeStatuses): Candidate[] {
    const [clean, violating]: [Candidate[], Candidate[]] = [[], []]
    for (const node of this.#inTurn()) {
      const found = this.#look(node)
      if ('code' in found) failures.add(node, found)
      else if (found.victims.pods.length > 0) (found.victims.violations === 0 ? clean : violating).push(found)
      if (clean.length > 0 && clean.length + violating.length >= this.#wanted) break
    }
    return [...clean, ...violating]
  }

  /** The best of these, and of all that are known from earlier searches. */
  best(failures: NodeStatuses): Candidate | undefined {
    const runs = this.#runs
    if (!runs || this.#own !== undefined) return bestCandidate(this.all(failures))
    const isEnough = () => runs.clean > 0 && runs.candidates >= this.#wanted
    if (!isEnough()) {
      for (const node of this.#inTurn()) {
        this.#look(node)
        if (isEnough()) break
      }
    }
    return runs.best() ?? bestCandidate(this.all(failures))
  }

  *#inTurn(): Iterable<NodeInfo> {
    const { length } = this.#nodes
    for (let i = 0; i < length; i++) yield this.#nodes[(this.#offset + i) % length] as NodeInfo
  }

  #look(node: NodeInfo): DryRun {
    if (!this.#runs || node.name === this.#own) return this.#dryRun(node)
    return this.#runs.find(node) ?? this.#runs.set(node, this.#dryRun(node))
  }
}

/** Where all filters look at nodes alone, the victims on a node are those that the last pod of this kind found there. */
function dryRunsOf({ answers, filters }: Attempt): DryRuns | null {
  if (!answers || !filters.every(({ ofNodeAlone }) => ofNodeAlone)) return null
  return answers.keep(`dry runs by ${filters.map(({ name }) => name).join()}`, () => new DryRuns())
}
