/** A service beside the scheduler that has a say in where pods go. Source: kubernetes `scheduler/extender.go`, `kube-scheduler/extender/v1`. */
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { podRequests } from '../../api/core/v1/pod-resources.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import { decodeFilterResult, decodePreemptionResult, decodeScores, errorOf, type FilterResult } from './wire.ts'

export interface ExtenderConfig {
  /** Without a slash at its end; a verb follows. */
  readonly urlPrefix: string
  readonly filterVerb?: string
  readonly prioritizeVerb?: string
  readonly preemptVerb?: string
  readonly bindVerb?: string
  /** Of its scores. Default 1. */
  readonly weight?: number
  /** Milliseconds; default 5 s. */
  readonly timeout?: number
  /** It knows nodes itself: names are enough. */
  readonly nodeCacheCapable?: boolean
  /** Only pods that ask for one of these concern it; none: all pods do. */
  readonly managedResources?: readonly { readonly name: string; readonly ignoredByScheduler?: boolean }[]
  /** Pods are placed without it while it does not answer. */
  readonly ignorable?: boolean
  readonly tls?: ExtenderTls
}

/** PEM. */
export interface ExtenderTls {
  readonly insecure?: boolean
  readonly serverName?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Sends JSON and gives what is answered with 200; rejects otherwise. The network, as an argument. */
export type PostJson = (url: string, body: unknown, options: PostOptions) => Promise<unknown>

export interface PostOptions {
  /** Milliseconds. */
  readonly timeout: number
  readonly tls?: ExtenderTls | undefined
  readonly signal: AbortSignal
}

export interface ProposedVictims {
  readonly pods: readonly PodInfo[]
  readonly violations: number
}

/** By node: the uids of whom it would have displaced, and how many budgets that breaks. */
export type ApprovedVictims = ReadonlyMap<string, { readonly uids: ReadonlySet<string>; readonly violations: number }>

const TIMEOUT = 5000
/** Extenders give 0 to 10, plugins 0 to 100. */
const SCALE = 10

export class Extender {
  readonly config: ExtenderConfig
  readonly #post: PostJson
  readonly #managed: ReadonlySet<string>

  constructor(config: ExtenderConfig, post: PostJson) {
    this.config = config
    this.#post = post
    this.#managed = new Set(config.managedResources?.map(({ name }) => name))
  }

  /** As messages call it. */
  get name(): string {
    return this.config.urlPrefix
  }

  get ignorable(): boolean {
    return this.config.ignorable ?? false
  }

  isInterested({ spec }: Pod): boolean {
    if (this.#managed.size === 0) return true
    return Object.keys(podRequests(spec)).some((name) => this.#managed.has(name))
  }

  /** All pass where it has no such verb. */
  async filter(pod: Pod, nodes: readonly Node[], signal: AbortSignal): Promise<FilterResult> {
    const { filterVerb } = this.config
    const names = nodes.map(({ metadata }) => metadata.name)
    if (!filterVerb) return { passed: new Set(names), failed: new Map(), unresolvable: new Map() }
    return decodeFilterResult(await this.#ask(filterVerb, this.#args(pod, nodes), signal))
  }

  /** From 0 to 100; nodes that it says nothing of get 0. */
  async prioritize(pod: Pod, nodes: readonly Node[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { prioritizeVerb } = this.config
    if (!prioritizeVerb) return new Map()
    const scores = decodeScores(await this.#ask(prioritizeVerb, this.#args(pod, nodes), signal))
    return new Map([...scores].map(([node, score]) => [node, Math.min(Math.max(score * SCALE, 0), 100)]))
  }

  /** Which of the proposals it agrees to, perhaps with fewer victims. */
  async preempt(pod: Pod, proposals: ReadonlyMap<string, ProposedVictims>, signal: AbortSignal): Promise<ApprovedVictims> {
    const { preemptVerb = '', nodeCacheCapable } = this.config
    const entries = [...proposals]
    const meta = entries.map(([node, { pods, violations }]) => [
      node,
      { Pods: pods.map(({ uid }) => ({ UID: uid })), NumPDBViolations: violations },
    ])
    const whole = entries.map(([node, { pods, violations }]) => [
      node,
      { Pods: pods.map((info) => info.pod), NumPDBViolations: violations },
    ])
    const victims = nodeCacheCapable
      ? { NodeNameToMetaVictims: Object.fromEntries(meta) }
      : { NodeNameToVictims: Object.fromEntries(whole) }
    return decodePreemptionResult(await this.#ask(preemptVerb, { Pod: pod, ...victims }, signal))
  }

  async bind({ metadata }: Pod, node: string, signal: AbortSignal): Promise<void> {
    const { name, namespace = '', uid } = metadata
    await this.#ask(this.config.bindVerb ?? '', { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node }, signal)
  }

  #args(pod: Pod, nodes: readonly Node[]): object {
    if (this.config.nodeCacheCapable) return { Pod: pod, NodeNames: nodes.map(({ metadata }) => metadata.name) }
    return { Pod: pod, Nodes: { apiVersion: 'v1', kind: 'NodeList', metadata: {}, items: nodes } }
  }

  async #ask(verb: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    const { urlPrefix, timeout = TIMEOUT, tls } = this.config
    const answer = await this.#post(`${urlPrefix}/${verb}`, body, { timeout, tls, signal })
    const error = errorOf(answer)
    if (error) throw new Error(error)
    return answer
  }
}
