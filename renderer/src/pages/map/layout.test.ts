import { describe, expect, it } from 'vitest'
import type { MapEdge, MapGraph, MapNode } from './graph.ts'
import { layoutGraph, neighbour, TILE } from './layout.ts'

const node = (id: string): MapNode => {
  const [kind = '', name = ''] = id.split('/')
  return { id, kind, namespace: 'shop', name, object: null }
}
const graphOf = (...lines: string[]): MapGraph => {
  const edges = lines
    .filter((line) => line.includes('>'))
    .map((line): MapEdge => {
      const [from = '', to = ''] = line.split('>')
      return { from, to, relation: to.startsWith('Node/') ? 'runs' : 'owns' }
    })
  const ids = new Set(lines.flatMap((line) => line.split('>')))
  return { nodes: new Map([...ids].map((id) => [id, node(id)])), edges }
}
const overlapping = (places: ReadonlyMap<string, { x: number; y: number }>) => {
  const all = [...places]
  return all.flatMap(([id, a], i) =>
    all
      .slice(i + 1)
      .filter(([, b]) => Math.abs(a.x - b.x) < TILE.width && Math.abs(a.y - b.y) < TILE.height)
      .map(([other]) => `${id} ${other}`),
  )
}

describe('layoutGraph', () => {
  const two = ['S/a>D/a', 'D/a>P/a', 'S/b>D/b', 'D/b>P/b']

  it('goes from left to right, with machines at the right of all, and nothing over anything else', () => {
    const { places } = layoutGraph(graphOf(...two, 'P/a>Node/x', 'P/b>Node/x', 'P/b>Node/y'))
    const x = (id: string) => places.get(id)?.x ?? 0
    expect(x('S/a')).toBeLessThan(x('D/a'))
    expect(x('D/a')).toBeLessThan(x('P/a'))
    expect(x('P/b')).toBeLessThan(x('Node/y'))
    expect(overlapping(places)).toEqual([])
  })

  it('moves nothing of a part that did not change, whatever comes and goes around it', () => {
    const first = layoutGraph(graphOf(...two))
    const more = layoutGraph(graphOf('S/0>D/0', ...two, 'D/b>P/c'), first.parts)
    expect(more.places.get('P/a')).toEqual(first.places.get('P/a'))
    expect(overlapping(more.places)).toEqual([])
    const less = layoutGraph(graphOf('S/b>D/b', 'D/b>P/b'), first.parts)
    expect(less.places.get('P/b')).toEqual(first.places.get('P/b'))
  })

  it('sets a part of very many tiles in columns', () => {
    const lines = Array.from({ length: 400 }, (_, i) => `Secret/all>D/${i}`)
    const { places } = layoutGraph(graphOf(...lines))
    expect(places.size).toBe(401)
    expect(overlapping(new Map([...places].slice(0, 60)))).toEqual([])
  })
})

describe('neighbour', () => {
  const graph = graphOf('S/a>D/a', 'D/a>P/a', 'S/b>D/b')
  const { places } = layoutGraph(graph)
  const go = (id: string, to: 'left' | 'right' | 'up' | 'down') => neighbour(id, to, places, graph.edges)

  it('follows lines to the sides, and goes to the nearest one up and down', () => {
    expect(go('S/a', 'right')).toBe('D/a')
    expect(go('P/a', 'left')).toBe('D/a')
    expect(go('S/a', 'down')).toBe('S/b')
    expect(go('S/b', 'up')).toBe('S/a')
    expect(go('S/a', 'up')).toBeNull()
    expect(go('gone', 'up')).toBeNull()
  })
})
