/** Which nodes a pod fits on. Source: kubernetes `scheduler/schedule_one.go`, `findNodesThatFitPod`. */
import type { Attempt } from '../framework/attempt.ts'
import { Diagnosis } from '../framework/diagnosis.ts'
import type { Framework } from '../framework/framework.ts'
import { isRejected, messageOfStatus, unresolvable, type Status } from '../framework/status.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'

export interface SearchResult {
  /** In the order in which they were found. Empty: `diagnosis` says why, unless there is a `fault`. */
  readonly nodes: readonly NodeInfo[]
  readonly diagnosis: Diagnosis
  /** A plugin failed. */
  readonly fault?: Status
}

/** Fewer nodes than this are all looked at, and of more no fewer are sought. */
const FEW = 100
const LEAST_PERCENTAGE = 5

/** How many nodes that fit are enough: of large clusters a share, so that the search ends. */
export function enoughNodes(total: number, percentage: number): number {
  if (total < FEW || percentage >= 100) return total
  const share = percentage || Math.max(50 - Math.trunc(total / 125), LEAST_PERCENTAGE)
  return Math.max(Math.trunc((total * share) / 100), FEW)
}

/** Each search begins where the last one ended, so that all nodes get their turn. */
export class NodeSearch {
  #start = 0

  find(framework: Framework, attempt: Attempt, pod: PodInfo): SearchResult {
    const diagnosis = new Diagnosis()
    const { status, nodes, rejectors } = framework.preFilter(attempt, pod)
    for (const rejector of rejectors) diagnosis.rejectors.add(rejector)
    if (status) return { nodes: [], ...refusedByAll(diagnosis, status) }

    const promised = promisedNode(attempt, pod, nodes)
    if (promised) {
      const refusal = framework.check(attempt, pod, promised)
      if (!refusal) return { nodes: [promised], diagnosis }
      if (!isRejected(refusal)) return { nodes: [], diagnosis, fault: refusal }
    }
    const known = nodes ? null : knownNodes(framework, attempt, pod)
    if (known) return known
    const candidates = nodes ? [...nodes].flatMap((name) => attempt.snapshot.node(name) ?? []) : attempt.snapshot.nodes
    if (nodes) diagnosis.statuses.absent = unresolvable('', [`node(s) didn't satisfy plugin(s) [${[...rejectors].sort().join(' ')}]`])
    return this.#filter(framework, attempt, pod, candidates, diagnosis)
  }

  #filter(framework: Framework, attempt: Attempt, pod: PodInfo, candidates: readonly NodeInfo[], diagnosis: Diagnosis): SearchResult {
    const total = candidates.length
    const enough = enoughOf(framework, total)
    const fit: NodeInfo[] = []
    let looked = 0
    let last: Status | null = null
    for (; looked < total && fit.length < enough; looked++) {
      const node = candidates[(this.#start + looked) % total] as NodeInfo
      const refusal = framework.check(attempt, pod, node)
      if (!refusal) {
        fit.push(node)
        continue
      }
      if (!isRejected(refusal)) return { nodes: [], diagnosis, fault: refusal }
      diagnosis.statuses.add(node, refusal)
      if (refusal.plugin !== last?.plugin || refusal.code !== last.code) diagnosis.blame(refusal)
      last = refusal
    }
    this.#start = (this.#start + looked) % Math.max(1, attempt.snapshot.nodes.length)
    if (candidates === attempt.snapshot.nodes) framework.follow(attempt, fit.length < enough)
    return { nodes: fit, diagnosis }
  }
}

function enoughOf({ hasScores, percentageOfNodesToScore }: Framework, total: number): number {
  return hasScores ? enoughNodes(total, percentageOfNodesToScore) : 1
}

/** What is known of all nodes without looking at each; null where that is not kept, or is of no use because enough nodes are found soon. */
function knownNodes(framework: Framework, attempt: Attempt, pod: PodInfo): SearchResult | null {
  const standing = framework.standing(attempt, pod)
  if (!standing) return null
  if ('code' in standing) return { nodes: [], diagnosis: new Diagnosis(), fault: standing }
  if (standing.fits.size >= enoughOf(framework, attempt.snapshot.nodes.length)) return null
  // Of the node that it was promised itself, the pod thinks otherwise than the pods that ask for the same.
  const own = attempt.snapshot.node(framework.promisedTo(pod) ?? '')
  const ownRefusal = own ? framework.check(attempt, pod, own) : null
  const fit = [...standing.fits].filter((node) => node !== own)
  if (own && !ownRefusal) fit.push(own)
  if (ownRefusal && !isRejected(ownRefusal)) return { nodes: [], diagnosis: new Diagnosis(), fault: ownRefusal }
  if (fit.length > 0) return { nodes: fit, diagnosis: new Diagnosis() }
  const refusals = standing.refusals()
  const diagnosis = new Diagnosis(refusals)
  for (const status of refusals.kinds) diagnosis.blame(status)
  if (own && ownRefusal) {
    diagnosis.statuses.set(own.name, ownRefusal)
    diagnosis.blame(ownRefusal)
  }
  return { nodes: [], diagnosis }
}

function refusedByAll(diagnosis: Diagnosis, status: Status): { diagnosis: Diagnosis; fault?: Status } {
  if (!isRejected(status)) return { diagnosis, fault: status }
  diagnosis.statuses.absent = status
  diagnosis.preFilterMessage = messageOfStatus(status)
  diagnosis.blame(status)
  return { diagnosis }
}

/** The node that preemption has made room on comes first. */
function promisedNode({ snapshot }: Attempt, { pod }: PodInfo, nodes: ReadonlySet<string> | null): NodeInfo | undefined {
  const name = pod.status.nominatedNodeName
  return name && (!nodes || nodes.has(name)) ? snapshot.node(name) : undefined
}
