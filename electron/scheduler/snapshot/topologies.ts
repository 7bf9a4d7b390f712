/** The domains that nodes form by the values of a label: zones, racks, hosts. Counted only for labels that were asked for. */
type Labels = Readonly<Record<string, string>>

export interface Domains {
  /** How many nodes have each value. */
  readonly nodesPerValue: ReadonlyMap<string, number>
  /** How many nodes have the label at all. */
  readonly nodes: number
}

interface Counted extends Domains {
  readonly nodesPerValue: Map<string, number>
  nodes: number
}

export class Topologies {
  readonly #byKey = new Map<string, Counted>()

  /** `all` are the labels of all nodes, read when the key is new. */
  domains(key: string, all: () => Iterable<Labels>): Domains {
    let domains = this.#byKey.get(key)
    if (!domains) {
      domains = { nodesPerValue: new Map(), nodes: 0 }
      for (const labels of all()) count(domains, labels[key], 1)
      this.#byKey.set(key, domains)
    }
    return domains
  }

  /** A node came (`from` undefined), left (`to` undefined) or changed. */
  change(from: Labels | undefined, to: Labels | undefined): void {
    for (const [key, domains] of this.#byKey) {
      if (from?.[key] === to?.[key]) continue
      count(domains, from?.[key], -1)
      count(domains, to?.[key], 1)
    }
  }
}

function count(domains: Counted, value: string | undefined, change: 1 | -1): void {
  if (value === undefined) return
  domains.nodes += change
  const nodes = (domains.nodesPerValue.get(value) ?? 0) + change
  if (nodes === 0) domains.nodesPerValue.delete(value)
  else domains.nodesPerValue.set(value, nodes)
}
