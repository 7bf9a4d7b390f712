/** How much of a zone fails together, and how fast its nodes may lose their pods then. Source: kubernetes `pkg/controller/nodelifecycle`. */
import type { Node } from '../../api/core/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'
import type { ControllerOptions } from '../runtime/options.ts'

const REGION = 'topology.kubernetes.io/region'
const ZONE = 'topology.kubernetes.io/zone'
/** Nodes with this label do not count. */
const EXCLUDED = 'node.kubernetes.io/exclude-disruption'
const DEFAULTS = { nodeEvictionRate: 0.1, secondaryNodeEvictionRate: 0.01, largeClusterThreshold: 50, unhealthyZoneThreshold: 0.55 }

/** One name for region and zone; "" for nodes that have neither. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const [region = '', zone = ''] = [labels[REGION], labels[ZONE]]
  return region || zone ? `${region}:\0:${zone}` : ''
}

interface Count {
  ready: number
  failed: number
}

export class Zones {
  readonly #clock: Clock
  readonly #options: Required<Pick<ControllerOptions, keyof typeof DEFAULTS>>
  readonly #budgets = new Map<string, Budget>()
  readonly #nodes: () => readonly Node[]
  #counted: Map<string, Count> | null = null

  constructor(nodes: () => readonly Node[], clock: Clock, options: ControllerOptions) {
    this.#nodes = nodes
    this.#clock = clock
    this.#options = {
      nodeEvictionRate: options.nodeEvictionRate ?? DEFAULTS.nodeEvictionRate,
      secondaryNodeEvictionRate: options.secondaryNodeEvictionRate ?? DEFAULTS.secondaryNodeEvictionRate,
      largeClusterThreshold: options.largeClusterThreshold ?? DEFAULTS.largeClusterThreshold,
      unhealthyZoneThreshold: options.unhealthyZoneThreshold ?? DEFAULTS.unhealthyZoneThreshold,
    }
  }

  /** What is known is counted anew when somebody asks. */
  recount(): void {
    this.#counted = null
  }

  get #counts(): ReadonlyMap<string, Count> {
    return (this.#counted ??= this.#count())
  }

  #count(): Map<string, Count> {
    const counts = new Map<string, Count>()
    for (const node of this.#nodes()) {
      if (node.metadata.labels?.[EXCLUDED] !== undefined) continue
      const zone = zoneOf(node)
      const count = counts.get(zone) ?? { ready: 0, failed: 0 }
      if (isConditionTrue(node.status.conditions, 'Ready')) count.ready++
      else count.failed++
      counts.set(zone, count)
    }
    for (const zone of this.#budgets.keys()) if (!counts.has(zone)) this.#budgets.delete(zone)
    return counts
  }

  /** No node anywhere is ready: then it is not the nodes that fail. */
  get allFail(): boolean {
    return [...this.#counts.values()].every(({ ready, failed }) => ready === 0 && failed > 0)
  }

  /** Whether one more node of the zone may lose its pods now; what is allowed is used up. */
  mayEvict(zone: string): boolean {
    let budget = this.#budgets.get(zone)
    if (!budget) this.#budgets.set(zone, (budget = new Budget(this.#clock)))
    return budget.take(this.#rate(zone))
  }

  /** Nodes a second. A zone that fails whole is emptied at the full rate: elsewhere there are nodes that do not. */
  #rate(zone: string): number {
    const { nodeEvictionRate, secondaryNodeEvictionRate, largeClusterThreshold, unhealthyZoneThreshold } = this.#options
    const { ready, failed } = this.#counts.get(zone) ?? { ready: 0, failed: 0 }
    const isDisturbed = ready > 0 && failed > 2 && failed / (ready + failed) >= unhealthyZoneThreshold
    if (!isDisturbed) return nodeEvictionRate
    return ready + failed > largeClusterThreshold ? secondaryNodeEvictionRate : 0
  }
}

/** One at once, then as many as come to be at the rate of the time that passes. */
class Budget {
  readonly #clock: Clock
  #tokens = 1
  #last: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#last = clock.monotonic()
  }

  take(rate: number): boolean {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(1, this.#tokens + ((now - this.#last) * rate) / 1000)
    this.#last = now
    if (rate <= 0 || this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
