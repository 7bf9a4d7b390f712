/** The order in which nodes are looked at: one of each zone in turn. Source: kubernetes `scheduler/backend/cache/node_tree.go`. */
type Labels = Readonly<Record<string, string>>

const ZONE = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone']
const REGION = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region']

/** "" for a node of no zone and no region. */
export function zoneOf(labels: Labels): string {
  const [zone, region] = [first(labels, ZONE), first(labels, REGION)]
  return zone || region ? `${region}:${zone}` : ''
}

function first(labels: Labels, keys: readonly string[]): string {
  for (const key of keys) {
    const value = labels[key]
    if (value !== undefined) return value
  }
  return ''
}

/** Zones come in the order of their first node, and so do the nodes of each. */
export function interleaveZones<T extends { readonly labels: Labels }>(nodes: Iterable<T>): T[] {
  const zones = new Map<string, T[]>()
  for (const node of nodes) {
    const zone = zoneOf(node.labels)
    const members = zones.get(zone)
    if (members) members.push(node)
    else zones.set(zone, [node])
  }
  const lists = [...zones.values()]
  if (lists.length === 1) return lists[0] ?? []
  const order: T[] = []
  const longest = Math.max(0, ...lists.map((list) => list.length))
  for (let i = 0; i < longest; i++) {
    for (const list of lists) {
      const node = list[i]
      if (node) order.push(node)
    }
  }
  return order
}
