/**
 * How all nodes stand to one demand, with the sums that a refused pod needs: kept from one attempt to the next, so that an attempt costs
 * the nodes that changed since the last one, however many there are. Only for pods whose filters look at nodes alone.
 */
import { ChangeReader } from '../snapshot/change-log.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { SnapshotView } from '../snapshot/snapshot.ts'
import type { Nominated } from './descriptor.ts'
import type { Refusals } from './node-statuses.ts'
import { isRejected, type Code, type Result, type Status } from './status.ts'

/** Nodes that are refused in the very same way. */
interface Group {
  readonly key: string
  readonly status: Status
  nodes: number
}

export class Standing {
  /** By slot. Copied before they change if somebody has them. */
  #nodes: (NodeInfo | null)[] = []
  #verdicts: Result[] = []
  #sharesNodes = false
  #sharesVerdicts = false
  /** By slot: where its refusal is counted. */
  readonly #groupOf: (Group | null)[] = []
  readonly #known = new Map<string, NodeInfo>()
  /** Nodes that are to be looked at. */
  readonly #behind = new Set<string>()
  readonly #fits = new Set<NodeInfo>()
  readonly #groups = new Map<string, Group>()
  /** Nodes of which preemption may make something, in no order; and by slot, where in the list each is. */
  readonly #promising: NodeInfo[] = []
  readonly #places: number[] = []
  readonly #changes = new ChangeReader()
  readonly #promises = new ChangeReader()

  /**
   * Looks at what changed. `own` is the node that the pod was promised itself: what it thinks of it others do not, so it is left for
   * later. Returns the fault that a plugin met.
   */
  update(snapshot: SnapshotView, nominated: Nominated, own: string | undefined, check: (node: NodeInfo) => Result): Status | null {
    const fallBehind = (node: string) => void this.#behind.add(node)
    const isToldAll = this.#changes.catchUp(snapshot.changes, fallBehind)
    if (!this.#promises.catchUp(nominated.changes, fallBehind) || !isToldAll) {
      for (const name of this.#known.keys()) this.#behind.add(name)
      for (const { name } of snapshot.nodes) this.#behind.add(name)
    }
    for (const name of this.#behind) {
      const node = snapshot.node(name)
      const known = this.#known.get(name)
      if (known && known !== node) this.#remove(known)
      if (node && name === own) continue
      const verdict = node ? check(node) : null
      if (verdict && !isRejected(verdict)) return verdict
      this.#behind.delete(name)
      if (node) this.#set(node, verdict)
    }
    return null
  }

  /** Nodes that refuse nothing, as of the last update. */
  get fits(): ReadonlySet<NodeInfo> {
    return this.#fits
  }

  /** The others. It stays as it is. */
  refusals(): Refusals & { readonly kinds: readonly Status[] } {
    this.#sharesNodes = true
    this.#sharesVerdicts = true
    return new Refused(this.#nodes, this.#verdicts, [...this.#groups.values()], this.#promising)
  }

  #set(node: NodeInfo, verdict: Result): void {
    const { slot } = node
    const before = this.#nodes[slot]
    if (before !== node) {
      if (before) this.#remove(before)
      this.#enter(node)
    }
    const last = this.#verdicts[slot] as Result
    if (last && verdict && isAlike(last, verdict)) return this.#putVerdict(slot, verdict)
    this.#uncount(node)
    this.#putVerdict(slot, verdict)
    if (!verdict) {
      this.#fits.add(node)
      return
    }
    const key = `${verdict.plugin}\n${verdict.code}\n${verdict.reasons.join('\n')}`
    const group = this.#groups.get(key) ?? { key, status: verdict, nodes: 0 }
    this.#groups.set(key, group)
    this.#groupOf[slot] = group
    group.nodes++
    if (verdict.code === 'Unschedulable') this.#places[slot] = this.#promising.push(node) - 1
  }

  /** It is in none of the sums yet. */
  #enter(node: NodeInfo): void {
    if (this.#sharesNodes) this.#nodes = [...this.#nodes]
    this.#sharesNodes = false
    // Without holes, which would make the arrays slow.
    for (let i = this.#nodes.length; i <= node.slot; i++) {
      this.#nodes.push(null)
      this.#putVerdict(i, null)
      this.#groupOf.push(null)
      this.#places.push(-1)
    }
    this.#nodes[node.slot] = node
    this.#known.set(node.name, node)
  }

  #remove(node: NodeInfo): void {
    if (this.#sharesNodes) this.#nodes = [...this.#nodes]
    this.#sharesNodes = false
    this.#uncount(node)
    this.#putVerdict(node.slot, null)
    this.#nodes[node.slot] = null
    this.#known.delete(node.name)
  }

  #uncount(node: NodeInfo): void {
    const { slot } = node
    this.#fits.delete(node)
    const group = this.#groupOf[slot]
    this.#groupOf[slot] = null
    if (group && --group.nodes === 0) this.#groups.delete(group.key)
    const place = this.#places[slot] as number
    if (place < 0) return
    this.#places[slot] = -1
    const last = this.#promising.pop() as NodeInfo
    if (last === node) return
    this.#promising[place] = last
    this.#places[last.slot] = place
  }

  #putVerdict(slot: number, verdict: Result): void {
    if (this.#sharesVerdicts) this.#verdicts = [...this.#verdicts]
    this.#sharesVerdicts = false
    this.#verdicts[slot] = verdict
  }
}

function isAlike(a: Status, b: Status): boolean {
  return a.reasons === b.reasons && a.code === b.code && a.plugin === b.plugin
}

/** How things stood at one moment. */
class Refused implements Refusals {
  readonly size: number
  readonly kinds: readonly Status[]
  readonly #nodes: readonly (NodeInfo | null)[]
  readonly #verdicts: readonly Result[]
  readonly #reasons: readonly (readonly [readonly string[], number])[]
  /** Those that preemption may help with, as long as the decision lasts. */
  readonly #promising: readonly NodeInfo[]

  constructor(nodes: readonly (NodeInfo | null)[], verdicts: readonly Result[], groups: readonly Group[], promising: readonly NodeInfo[]) {
    this.#nodes = nodes
    this.#verdicts = verdicts
    this.kinds = groups.map(({ status }) => status)
    this.#reasons = groups.map(({ status: { reasons }, nodes: times }) => [reasons, times])
    this.size = groups.reduce((sum, group) => sum + group.nodes, 0)
    this.#promising = promising
  }

  *entries(): Iterable<readonly [string, Status]> {
    for (const [slot, verdict] of this.#verdicts.entries()) {
      if (verdict) yield [(this.#nodes[slot] as NodeInfo).name, verdict]
    }
  }

  reasons(): Iterable<readonly [readonly string[], number]> {
    return this.#reasons
  }

  withCode(code: Code): readonly NodeInfo[] {
    if (code === 'Unschedulable') return this.#promising
    return this.#nodes.filter((node, slot): node is NodeInfo => this.#verdicts[slot]?.code === code && node !== null)
  }
}
