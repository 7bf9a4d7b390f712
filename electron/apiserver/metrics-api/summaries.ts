/** The figures of nodes' agents, kept for a moment so that those who ask at the same time ask once. */
import { deadline, sleep, type Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'

/** As much of a kubelet's /stats/summary as is needed. Source: k8s.io/kubelet stats/v1alpha1. */
export interface Summary {
  readonly node: Measured
  readonly pods: readonly PodSummary[]
}

export interface PodSummary {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string }
  readonly containers: readonly (Measured & { readonly name: string })[]
}

export interface Measured {
  /** `usageNanoCores` is missing until something was measured twice. */
  readonly cpu: { readonly time: string; readonly usageNanoCores?: number }
  readonly memory: { readonly workingSetBytes: number }
}

/** Milliseconds that figures are good for. */
const FRESH = 3000
/** An agent that takes longer has none. */
const PATIENCE = 5000
/** Between two measurements that a speed can be told from. */
const AGAIN = 1100

export class Summaries {
  readonly #client: Pick<Client, 'request'>
  readonly #clock: Clock
  readonly #known = new Map<string, { readonly at: number; readonly summary: Promise<Summary | null> }>()

  constructor(client: Pick<Client, 'request'>, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** Null for a node that does not answer. */
  of(node: string): Promise<Summary | null> {
    const now = this.#clock.monotonic()
    for (const [name, { at }] of this.#known) if (now - at > FRESH) this.#known.delete(name)
    const known = this.#known.get(node)
    if (known) return known.summary
    const summary = this.#measured(node).catch(() => null)
    this.#known.set(node, { at: now, summary })
    return summary
  }

  /** Of an agent that was not asked for long the first answer may lack speeds. */
  async #measured(node: string): Promise<Summary> {
    using limit = deadline(this.#clock, PATIENCE)
    const first = await this.#ask(node, limit.signal)
    if (isWhole(first)) return first
    await sleep(this.#clock, AGAIN, limit.signal)
    return this.#ask(node, limit.signal)
  }

  async #ask(node: string, signal: AbortSignal): Promise<Summary> {
    const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`
    const { status, body } = await this.#client.request({ method: 'GET', path, signal })
    const parts: Uint8Array[] = []
    for await (const part of body) parts.push(part)
    if (status !== 200) throw new Error(`the agent of ${node} answered ${status}`)
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as Summary
  }
}

function isWhole({ node, pods }: Summary): boolean {
  return [node, ...pods.flatMap(({ containers }) => containers)].every(({ cpu }) => cpu.usageNanoCores !== undefined)
}
