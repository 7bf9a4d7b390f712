/** Runs the plugins of one profile at each extension point. Source: `scheduler/framework/runtime/framework.go`. */
import { messageOf } from '../../base/errors.ts'
import type { ProposedVictims } from '../extenders/extender.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import type { SnapshotView } from '../snapshot/snapshot.ts'
import { Attempt, type WeightedScorer } from './attempt.ts'
import type { Handle } from './descriptor.ts'
import { AnswersByDemand, type PerNode } from './node-answers.ts'
import type { NodeStatuses } from './node-statuses.ts'
import {
  isSubset,
  type AnyPlugin,
  type BindPlugin,
  type FilterPlugin,
  type PermitPlugin,
  type PostBindPlugin,
  type PostFilterAnswer,
  type PostFilterPlugin,
  type PreBindPlugin,
  type PreEnqueuePlugin,
  type PreFilterPlugin,
  type PreScorePlugin,
  type Queued,
  type QueueSortPlugin,
  type ReservePlugin,
  type ScorePlugin,
} from './plugin.ts'
import type { Profile } from './profile.ts'
import { Standing } from './standing.ts'
import { errorStatus, isRejected, unresolvable, type Result, type Status } from './status.ts'

export const MAX_SCORE = 100
const NOBODY: readonly PodInfo[] = Object.freeze([])

export interface PreFilterOutcome {
  readonly status: Result
  /** Null: all nodes come into question. */
  readonly nodes: ReadonlySet<string> | null
  /** Who left nodes out. */
  readonly rejectors: readonly string[]
}

/** Scores of one plugin, in the order of the nodes, from 0 to 100 and before its weight. */
export interface PluginScores {
  readonly plugin: string
  readonly weight: number
  readonly scores: readonly number[]
}

export class Framework {
  readonly schedulerName: string
  readonly percentageOfNodesToScore: number
  readonly plugins: readonly AnyPlugin[]
  readonly #preEnqueue: readonly PreEnqueuePlugin[]
  readonly #sort: QueueSortPlugin | undefined
  readonly #preFilter: readonly PreFilterPlugin[]
  readonly #filter: readonly FilterPlugin[]
  readonly #postFilter: readonly PostFilterPlugin[]
  readonly #preScore: readonly PreScorePlugin[]
  readonly #score: readonly WeightedScorer[]
  readonly #reserve: readonly ReservePlugin[]
  readonly #permit: readonly PermitPlugin[]
  readonly #preBind: readonly PreBindPlugin[]
  readonly #bind: readonly BindPlugin[]
  readonly #postBind: readonly PostBindPlugin[]
  readonly #handle: Handle
  readonly #answers = new AnswersByDemand()

  constructor(profile: Profile, handleFor: (framework: Framework) => Handle) {
    this.schedulerName = profile.schedulerName
    this.percentageOfNodesToScore = profile.percentageOfNodesToScore
    this.#handle = handleFor(this)
    const made = profile.plugins.map(({ descriptor, weight, args }) => ({ plugin: descriptor.create(args, this.#handle), weight }))
    const plugins = made.map(({ plugin }) => plugin)
    const having = <T>(method: keyof T & keyof AnyPlugin) => plugins.filter((plugin) => plugin[method]) as unknown as readonly T[]
    this.plugins = plugins
    this.#preEnqueue = having<PreEnqueuePlugin>('preEnqueue')
    this.#sort = having<QueueSortPlugin>('less')[0]
    this.#preFilter = having<PreFilterPlugin>('preFilter')
    this.#filter = having<FilterPlugin>('filter')
    this.#postFilter = having<PostFilterPlugin>('postFilter')
    this.#preScore = having<PreScorePlugin>('preScore')
    this.#score = made.filter(({ plugin }) => plugin.score) as unknown as WeightedScorer[]
    this.#reserve = having<ReservePlugin>('reserve')
    this.#permit = having<PermitPlugin>('permit')
    this.#preBind = having<PreBindPlugin>('preBind')
    this.#bind = having<BindPlugin>('bind')
    this.#postBind = having<PostBindPlugin>('postBind')
  }

  get hasScores(): boolean {
    return this.#score.length > 0
  }

  get filterNames(): readonly string[] {
    return this.#filter.map(({ name }) => name)
  }

  /** By priority and age where no plugin says otherwise. */
  less(a: Queued, b: Queued): boolean {
    return this.#sort ? this.#sort.less(a, b) : a.timestamp < b.timestamp
  }

  /** The first that holds the pod back; `by`: only this one is asked. */
  preEnqueue(pod: PodInfo, by?: string): Result {
    for (const plugin of this.#preEnqueue) {
      if (by !== undefined && plugin.name !== by) continue
      const status = preEnqueue(plugin, pod)
      if (status) return status
    }
    return null
  }

  begin(snapshot: SnapshotView): Attempt {
    return new Attempt(snapshot)
  }

  /** Leaves in `attempt.filters` those that are to be asked. */
  preFilter(attempt: Attempt, pod: PodInfo): PreFilterOutcome {
    const skipped = new Set<string>()
    const rejectors: string[] = []
    let nodes: ReadonlySet<string> | null = null
    let refusal: Status | null = null
    for (const plugin of this.#preFilter) {
      const answer = guarded(plugin.name, `running PreFilter plugin "${plugin.name}"`, () => plugin.preFilter(attempt, pod))
      if (isSubset(answer)) {
        rejectors.push(plugin.name)
        nodes = nodes ? nodes.intersection(answer.nodes) : answer.nodes
        if (nodes.size === 0) return { status: unresolvable('', [noNodeLeft(rejectors)]), nodes, rejectors }
      } else if (answer?.code === 'Skip') skipped.add(plugin.name)
      // Preemption may help later, so the others must be heard, too.
      else if (answer?.code === 'Unschedulable') refusal = answer
      else if (answer) return { status: answer, nodes: null, rejectors: [] }
    }
    attempt.filters = this.#filter.filter(({ name }) => !skipped.has(name))
    attempt.trackers = this.#preFilter.filter((plugin) => plugin.addPod && !skipped.has(plugin.name))
    this.#recall(attempt, pod)
    return { status: refusal, nodes, rejectors }
  }

  #recall(attempt: Attempt, pod: PodInfo): void {
    if (pod.demand === null) return
    const { filters } = attempt
    const first = filters.findIndex(({ ofNodeAlone }) => !ofNodeAlone)
    attempt.alone = first < 0 ? filters : filters.slice(0, first)
    attempt.others = first < 0 ? [] : filters.slice(first)
    attempt.answers = this.#answers.of(pod.demand)
    const names = attempt.alone.map(({ name }) => name).join()
    attempt.verdicts = attempt.answers.of(names)
    attempt.crowded = attempt.answers.of(`promised, by ${names}`)
  }

  /** How all nodes stand to the pod; null where this is not kept, so that they have to be looked at one by one; or a plugin's fault. */
  standing(attempt: Attempt, pod: PodInfo): Standing | Status | null {
    const standing = attempt.others.length === 0 ? attempt.answers?.find<Standing>(standingOf(attempt)) : undefined
    if (!standing) return null
    const { nominated } = this.#handle
    const check = (node: NodeInfo) => this.check(attempt, pod, node)
    return standing.update(attempt.snapshot, nominated, nominated.nodeOf(pod.uid), check) ?? standing
  }

  promisedTo({ uid }: PodInfo): string | undefined {
    return this.#handle.nominated.nodeOf(uid)
  }

  /** Keeps, or does not keep any longer, how all nodes stand to pods of this kind. */
  follow(attempt: Attempt, isWorthIt: boolean): void {
    if (attempt.others.length > 0) return
    if (isWorthIt) attempt.answers?.keep(standingOf(attempt), () => new Standing())
    else attempt.answers?.drop(standingOf(attempt))
  }

  /** As `filterWithNominated`, for a node of the attempt's snapshot: what is remembered of it is not asked again. */
  check(attempt: Attempt, pod: PodInfo, node: NodeInfo): Result {
    const { verdicts } = attempt
    if (!verdicts) return this.filterWithNominated(attempt, pod, node)
    let verdict = verdicts.find(node)
    if (verdict === undefined) {
      verdict = this.#firstRefusal(attempt.alone, attempt, pod, node)
      if (verdict?.code !== 'Error') verdicts.set(node, verdict)
    }
    // Those that the node was promised to would make it no better.
    if (verdict) return verdict
    const { nominated } = this.#handle
    const promised = nominated.size > 0 ? nominated.onNode(node.name) : NOBODY
    if (promised.length > 0) return this.#checkPromised(attempt, pod, node, promised)
    return this.#firstRefusal(attempt.others, attempt, pod, node)
  }

  #checkPromised(attempt: Attempt, pod: PodInfo, node: NodeInfo, promised: readonly PodInfo[]): Result {
    const { crowded, others } = attempt
    if (!crowded || others.length > 0 || promised.some(({ uid }) => uid === pod.uid)) return this.filterWithNominated(attempt, pod, node)
    const found = crowded.find(node)
    if (found?.promised === promised) return found.verdict
    const verdict = this.filterWithNominated(attempt, pod, node)
    if (verdict?.code !== 'Error') crowded.set(node, { promised, verdict })
    return verdict
  }

  /** The first refusal. */
  filter(attempt: Attempt, pod: PodInfo, node: NodeInfo): Result {
    return this.#firstRefusal(attempt.filters, attempt, pod, node)
  }

  #firstRefusal(filters: readonly FilterPlugin[], attempt: Attempt, pod: PodInfo, node: NodeInfo): Result {
    for (let i = 0; i < filters.length; i++) {
      const plugin = filters[i] as FilterPlugin
      try {
        const status = plugin.filter(attempt, pod, node)
        if (status !== null) return status
      } catch (error) {
        return errorStatus(plugin.name, error, `running "${plugin.name}" filter plugin`)
      }
    }
    return null
  }

  /** What each filter says, in their order; null for those that had nothing to look at. */
  filterEach(attempt: Attempt, pod: PodInfo, node: NodeInfo): { plugin: string; skipped: boolean; status: Result }[] {
    return this.#filter.map((plugin) => {
      const skipped = !attempt.filters.includes(plugin)
      const status = skipped
        ? null
        : guarded(plugin.name, `running "${plugin.name}" filter plugin`, () => plugin.filter(attempt, pod, node))
      return { plugin: plugin.name, skipped, status }
    })
  }

  /**
   * Pods of at least the same priority that the node was promised to count as if they were on it. The pod must fit also without
   * them, because nothing says that they will come (inter-pod affinity may hold with them only).
   */
  filterWithNominated(attempt: Attempt, pod: PodInfo, node: NodeInfo): Result {
    const { nominated } = this.#handle
    const promised = nominated.size === 0 ? [] : nominated.onNode(node.name)
    const counting = promised.filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority)
    if (counting.length === 0) return this.filter(attempt, pod, node)
    const fork = attempt.fork()
    const crowded = node.copy()
    for (const other of counting) {
      crowded.add(other)
      this.addPod(fork, pod, other, crowded)
    }
    return this.filter(fork, pod, crowded) ?? this.filter(attempt, pod, node)
  }

  addPod(attempt: Attempt, pod: PodInfo, added: PodInfo, node: NodeInfo): void {
    for (const plugin of attempt.trackers) plugin.addPod?.(attempt, pod, added, node)
  }

  removePod(attempt: Attempt, pod: PodInfo, removed: PodInfo, node: NodeInfo): void {
    for (const plugin of attempt.trackers) plugin.removePod?.(attempt, pod, removed, node)
  }

  /** Null where no plugin takes part. The message is what there is to say of all that were asked. */
  postFilter(attempt: Attempt, pod: PodInfo, statuses: NodeStatuses): PostFilterAnswer | null {
    if (this.#postFilter.length === 0) return null
    const reasons: string[] = []
    let nominate: { nominate: string } | null = null
    for (const plugin of this.#postFilter) {
      let answer: PostFilterAnswer
      try {
        answer = plugin.postFilter(attempt, pod, statuses)
      } catch (error) {
        return { status: errorStatus(plugin.name, error) }
      }
      const { status } = answer
      if (!status || status.code === 'UnschedulableAndUnresolvable' || !isRejected(status)) return answer
      if (answer.nominate !== undefined) nominate = { nominate: answer.nominate }
      reasons.push(...status.reasons)
    }
    return { status: { code: 'Unschedulable', reasons, plugin: '' }, ...nominate }
  }

  /** Whom plugins would displace for the pod, by node. */
  propose(attempt: Attempt, pod: PodInfo, statuses: NodeStatuses): ReadonlyMap<string, ProposedVictims> {
    return new Map(this.#postFilter.flatMap((plugin) => [...(plugin.propose?.(attempt, pod, statuses) ?? [])]))
  }

  /** Leaves in `attempt.scorers` those that are to be asked. */
  preScore(attempt: Attempt, pod: PodInfo, nodes: readonly NodeInfo[]): Result {
    const skipped = new Set<string>()
    for (const plugin of this.#preScore) {
      const status = guarded(plugin.name, `running PreScore plugin "${plugin.name}"`, () => plugin.preScore(attempt, pod, nodes))
      if (status?.code === 'Skip') skipped.add(plugin.name)
      else if (status) return status
    }
    attempt.scorers = skipped.size ? this.#score.filter(({ plugin }) => !skipped.has(plugin.name)) : this.#score
    return null
  }

  /** The weighted sums, in the order of `nodes`; `each` hears of the plugins' own. Throws what a plugin throws. */
  score(attempt: Attempt, pod: PodInfo, nodes: readonly NodeInfo[], each?: (scores: PluginScores) => void): number[] {
    const totals = nodes.map(() => 0)
    for (const { plugin, weight } of attempt.scorers) {
      try {
        const scores = scoresOf(plugin, attempt, pod, nodes)
        plugin.normalize?.(attempt, pod, scores, nodes)
        for (let i = 0; i < scores.length; i++) {
          const score = scores[i] as number
          if (!(score >= 0 && score <= MAX_SCORE)) throw new Error(`the score ${score} is not from 0 to ${MAX_SCORE}`)
          totals[i] = (totals[i] as number) + score * weight
        }
        each?.({ plugin: plugin.name, weight, scores })
      } catch (error) {
        throw new Error(`running Score plugin "${plugin.name}": ${messageOf(error)}`, { cause: error })
      }
    }
    return totals
  }

  reserve(attempt: Attempt, pod: PodInfo, node: string): Result {
    for (const plugin of this.#reserve) {
      const status = guarded(plugin.name, `running Reserve plugin "${plugin.name}"`, () => plugin.reserve(attempt, pod, node))
      if (status) return status
    }
    return null
  }

  /** In the opposite order. */
  unreserve(attempt: Attempt, pod: PodInfo, node: string): void {
    for (const plugin of this.#reserve.toReversed()) plugin.unreserve(attempt, pod, node)
  }

  /** A refusal or a fault; or how long each plugin wants the pod to wait, in milliseconds. */
  permit(attempt: Attempt, pod: PodInfo, node: string): { status: Result; waits: ReadonlyMap<string, number> } {
    const waits = new Map<string, number>()
    for (const plugin of this.#permit) {
      let timeout = 0
      const status = guarded(plugin.name, `running Permit plugin "${plugin.name}"`, () => {
        const answer = plugin.permit(attempt, pod, node)
        timeout = answer.timeout ?? 0
        return answer.status
      })
      if (status?.code === 'Wait') waits.set(plugin.name, timeout)
      else if (status) return { status, waits }
    }
    return { status: null, waits }
  }

  async preBind(attempt: Attempt, pod: PodInfo, node: string, signal: AbortSignal): Promise<Result> {
    for (const plugin of this.#preBind) {
      const status = await plugin.preBind(attempt, pod, node, signal).catch((error: unknown) => errorStatus(plugin.name, error))
      if (status) return faulty(status, `running PreBind plugin "${plugin.name}"`)
    }
    return null
  }

  async bind(attempt: Attempt, pod: PodInfo, node: string, signal: AbortSignal): Promise<Result> {
    for (const plugin of this.#bind) {
      const status = await plugin.bind(attempt, pod, node, signal).catch((error: unknown) => errorStatus(plugin.name, error))
      if (status?.code === 'Skip') continue
      return status && faulty(status, `running Bind plugin "${plugin.name}"`)
    }
    return errorStatus('', new Error('no plugin binds the pod'))
  }

  postBind(attempt: Attempt, pod: PodInfo, node: string): void {
    for (const plugin of this.#postBind) plugin.postBind(attempt, pod, node)
  }
}

function standingOf({ filters }: Attempt): string {
  return `standing, by ${filters.map(({ name }) => name).join()}`
}

function scoresOf(plugin: ScorePlugin, attempt: Attempt, pod: PodInfo, nodes: readonly NodeInfo[]): number[] {
  const known: PerNode<number> | undefined = plugin.ofNodeAlone ? attempt.answers?.of(`score of ${plugin.name}`) : undefined
  if (!known) return nodes.map((node) => plugin.score(attempt, pod, node))
  return nodes.map((node) => {
    let score = known.find(node)
    if (score === undefined) known.set(node, (score = plugin.score(attempt, pod, node)))
    return score
  })
}

function preEnqueue(plugin: PreEnqueuePlugin, pod: PodInfo): Result {
  try {
    return plugin.preEnqueue(pod)
  } catch (error) {
    return errorStatus(plugin.name, error)
  }
}

function guarded<T>(plugin: string, what: string, call: () => T | Status | null): T | Status | null {
  try {
    const answer = call()
    return isFault(answer) ? faulty(answer, what) : answer
  } catch (error) {
    return errorStatus(plugin, error, what)
  }
}

function isFault(answer: unknown): answer is Status {
  return typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === 'Error'
}

function faulty(status: Status, what: string): Status {
  return what && status.code === 'Error' ? { ...status, reasons: [`${what}: ${status.reasons.join(', ')}`] } : status
}

function noNodeLeft(plugins: readonly string[]): string {
  const sorted = [...plugins].sort()
  return sorted.length === 1
    ? `node(s) didn't satisfy plugin ${sorted[0]}`
    : `node(s) didn't satisfy plugin(s) [${sorted.join(' ')}] simultaneously`
}
