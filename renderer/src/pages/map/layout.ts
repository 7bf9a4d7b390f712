/**
 * Where each tile stands: parts that are connected are laid out each by itself, so that a change moves its own part only, and a part
 * keeps its place in the column of parts. Machines, which would tie everything together, stand in a row of their own at the right.
 */
import { Graph, layout as arrange } from '@dagrejs/dagre'
import type { MapEdge, MapGraph, MapNode } from './graph.ts'

export interface Place {
  readonly x: number
  readonly y: number
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>
  /** To be handed to the next layout. */
  readonly parts: ReadonlyMap<string, Part>
}

export interface Part {
  readonly signature: string
  /** From the part's own corner. */
  readonly places: ReadonlyMap<string, Place>
  readonly width: number
  readonly height: number
  readonly left: number
  readonly top: number
}

export const TILE = { width: 216, height: 52 }
const GAP = { rank: 72, tile: 16, part: 20 }
/** The column in which a kind stands in every part, so that like is below like. What is not named leads to a workload. */
const COLUMNS: Readonly<Record<string, number>> = {
  Deployment: 2,
  StatefulSet: 2,
  DaemonSet: 2,
  CronJob: 2,
  Job: 2,
  ReplicaSet: 2,
  Service: 1,
  Ingress: 0,
  Pod: 3,
}
/** Parts with more tiles are set in plain columns: the better layout would take seconds. */
const MOST = 220

export function layoutGraph(graph: MapGraph, before: ReadonlyMap<string, Part> = new Map()): Layout {
  const machines = [...graph.nodes.values()].filter(({ kind }) => kind === 'Node')
  const others = [...graph.nodes.values()].filter(({ kind }) => kind !== 'Node')
  const edges = graph.edges.filter(({ relation }) => relation !== 'runs')
  const found = componentsOf(others, edges)
  const made = found.map(({ anchor, nodes, edges: own }): [string, Part] => {
    const signature = `${nodes.map(({ id }) => id).join(' ')}|${own.map(({ from, to }) => `${from}>${to}`).join(' ')}`
    const old = before.get(anchor)
    if (old?.signature === signature) return [anchor, old]
    const fresh = nodes.length > MOST ? inColumns(nodes, own) : withDagre(nodes, own)
    return [anchor, { ...fresh, signature, left: columnOf(nodes, fresh.places), top: old?.top ?? Number.POSITIVE_INFINITY }]
  })
  const parts = stack(made)
  const places = new Map<string, Place>()
  let right = 0
  for (const part of parts.values()) {
    right = Math.max(right, part.left + part.width)
    for (const [id, { x, y }] of part.places) places.set(id, { x: x + part.left, y: y + part.top })
  }
  const bottom = Math.max(0, ...[...parts.values()].map(({ top, height }) => top + height))
  const step = Math.max(TILE.height + GAP.tile * 2, bottom / Math.max(1, machines.length + 1))
  for (const [index, { id }] of machines.toSorted(byName).entries())
    places.set(id, { x: right + GAP.rank * 1.5, y: machines.length * step > bottom ? index * step : (index + 0.5) * step })
  return { places: fromLeft(places), parts }
}

/** Where nothing stands in the first columns, they are not there. */
function fromLeft(places: ReadonlyMap<string, Place>): ReadonlyMap<string, Place> {
  const left = Math.min(...[...places.values()].map(({ x }) => x))
  return left > 0 ? new Map([...places].map(([id, { x, y }]) => [id, { x: x - left, y }])) : places
}

const byName = (a: MapNode, b: MapNode) =>
  a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id)

/** How far to the right a part begins, so that its workloads (or what comes nearest to them) stand in their column. */
function columnOf(nodes: readonly MapNode[], places: ReadonlyMap<string, Place>): number {
  const wanted = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'ReplicaSet', 'Service', 'Ingress', 'Pod'].find((kind) =>
    nodes.some((node) => node.kind === kind),
  )
  if (!wanted) return 0
  const own = Math.min(...nodes.filter(({ kind }) => kind === wanted).map(({ id }) => places.get(id)?.x ?? 0))
  return Math.max(0, (COLUMNS[wanted] ?? 0) * (TILE.width + GAP.rank) - own)
}

/** What stood stays where it was unless what is above grew; what is new comes last, or in order where nothing stood. */
function stack(parts: readonly [string, Part][]): Map<string, Part> {
  const order = parts
    .map(([anchor, part], index) => ({ anchor, part, index }))
    .toSorted((a, b) => {
      if (a.part.top === b.part.top) return a.index - b.index
      return a.part.top < b.part.top ? -1 : 1
    })
  const result = new Map<string, Part>()
  let bottom = 0
  for (const { anchor, part } of order) {
    const top = Number.isFinite(part.top) ? Math.max(part.top, bottom) : bottom
    result.set(anchor, top === part.top ? part : { ...part, top })
    bottom = top + part.height + GAP.part
  }
  return result
}

interface Component {
  /** Names the part: its first node. */
  readonly anchor: string
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
}

function componentsOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): Component[] {
  const parent = new Map(nodes.map(({ id }) => [id, id]))
  const rootOf = (id: string): string => {
    let root = id
    while (parent.get(root) !== root) root = parent.get(root) ?? root
    for (let at = id; at !== root;) {
      const next = parent.get(at) ?? root
      parent.set(at, root)
      at = next
    }
    return root
  }
  for (const { from, to } of edges) if (parent.has(from) && parent.has(to)) parent.set(rootOf(from), rootOf(to))
  const groups = new Map<string, { nodes: MapNode[]; edges: MapEdge[] }>()
  for (const node of nodes.toSorted(byName)) {
    const root = rootOf(node.id)
    const group = groups.get(root)
    if (group) group.nodes.push(node)
    else groups.set(root, { nodes: [node], edges: [] })
  }
  for (const edge of edges) if (parent.has(edge.from) && parent.has(edge.to)) groups.get(rootOf(edge.from))?.edges.push(edge)
  return [...groups.values()].map((group) => ({ anchor: group.nodes[0]?.id ?? '', ...group }))
}

type Fresh = Pick<Part, 'places' | 'width' | 'height'>

function withDagre(nodes: readonly MapNode[], edges: readonly MapEdge[]): Fresh {
  const [only] = nodes
  if (nodes.length === 1 && only) return { places: new Map([[only.id, { x: 0, y: 0 }]]), ...TILE }
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', ranksep: GAP.rank, nodesep: GAP.tile, marginx: 0, marginy: 0 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of nodes) graph.setNode(id, { ...TILE })
  for (const { from, to } of edges) graph.setEdge(from, to)
  arrange(graph)
  const places = new Map<string, Place>()
  for (const { id } of nodes) {
    const { x = 0, y = 0 } = graph.node(id) as { x?: number; y?: number }
    places.set(id, { x: x - TILE.width / 2, y: y - TILE.height / 2 })
  }
  return measured(places)
}

/** Columns by how far each is from what nothing leads to, each in the order of what leads there. */
function inColumns(nodes: readonly MapNode[], edges: readonly MapEdge[]): Fresh {
  const rank = new Map(nodes.map(({ id }) => [id, 0]))
  for (let round = 0, moved = true; moved && round < 12; round++) {
    moved = false
    for (const { from, to } of edges) {
      const wanted = (rank.get(from) ?? 0) + 1
      if ((rank.get(to) ?? 0) >= wanted || wanted > 12) continue
      rank.set(to, wanted)
      moved = true
    }
  }
  const rows = new Map<number, number>()
  const places = new Map<string, Place>()
  const reached = new Map<string, number>()
  for (const [index, { id }] of nodes.entries()) reached.set(id, index)
  for (const { from, to } of edges) reached.set(to, Math.min(reached.get(to) ?? 0, reached.get(from) ?? 0))
  for (const { id } of nodes.toSorted((a, b) => (reached.get(a.id) ?? 0) - (reached.get(b.id) ?? 0))) {
    const column = rank.get(id) ?? 0
    const row = rows.get(column) ?? 0
    rows.set(column, row + 1)
    places.set(id, { x: column * (TILE.width + GAP.rank), y: row * (TILE.height + GAP.tile) })
  }
  return measured(places)
}

function measured(places: ReadonlyMap<string, Place>): Fresh {
  const all = [...places.values()]
  const left = Math.min(...all.map(({ x }) => x))
  const top = Math.min(...all.map(({ y }) => y))
  return {
    places: new Map([...places].map(([id, { x, y }]) => [id, { x: x - left, y: y - top }])),
    width: Math.max(...all.map(({ x }) => x)) - left + TILE.width,
    height: Math.max(...all.map(({ y }) => y)) - top + TILE.height,
  }
}

export type Direction = 'left' | 'right' | 'up' | 'down'

/** The next tile for an arrow key: along a line to the sides, else to the nearest tile in that direction. Null at the edge. */
export function neighbour(id: string, to: Direction, places: ReadonlyMap<string, Place>, edges: readonly MapEdge[]): string | null {
  const at = places.get(id)
  if (!at) return null
  const along =
    to === 'right'
      ? edges.filter(({ from }) => from === id).map((e) => e.to)
      : to === 'left'
        ? edges.filter((e) => e.to === id).map(({ from }) => from)
        : []
  const linked = along.filter((each) => places.has(each))
  const sideways = to === 'left' || to === 'right'
  const sign = to === 'left' || to === 'up' ? -1 : 1
  let best: string | null = null
  let shortest = Number.POSITIVE_INFINITY
  for (const other of linked.length ? linked : places.keys()) {
    const place = places.get(other)
    if (!place || other === id) continue
    const [dx, dy] = [place.x - at.x, place.y - at.y]
    const ahead = (sideways ? dx : dy) * sign
    if (!linked.length && ahead < 1) continue
    const distance = sideways ? Math.abs(dx) + Math.abs(dy) * 2 : Math.abs(dy) + Math.abs(dx) * 3
    if (distance < shortest) [best, shortest] = [other, distance]
  }
  return best
}
