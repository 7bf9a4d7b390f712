import { describe, expect, it } from 'vitest'
import type { AttemptRecord } from './attempt-ledger.ts'
import type { Explanation } from './explain.ts'
import { placementStatus } from './placement-status.ts'

const node = (name: string, fits: boolean) => ({ node: name, fits, filters: [] })
const scores = { nodes: ['a', 'b'], plugins: [{ plugin: 'ImageLocality', weight: 2, scores: [10, 30] }], totals: [20, 60] }

describe('a placement as the API shows it', () => {
  it('has the nodes that fit first, the best of them before the others, and no more than are asked for', () => {
    const explanation: Explanation = {
      pod: 'test/web',
      lastAttempt: null,
      nodes: [node('c', false), node('a', true), node('b', true)],
      scores,
      message: '',
    }
    const { nodes, totalNodes } = placementStatus(explanation, 2)
    expect(totalNodes).toBe(3)
    expect(nodes).toEqual([
      { name: 'b', fits: true, filters: [], total: 60, scores: [{ plugin: 'ImageLocality', weight: 2, score: 30 }] },
      { name: 'a', fits: true, filters: [], total: 20, scores: [{ plugin: 'ImageLocality', weight: 2, score: 10 }] },
    ])
  })

  it('tells of an attempt that placed the pod what the nodes were given', () => {
    const common = { uid: '1', pod: 'test/web', at: Date.parse('2026-01-01T00:00:00Z'), attempt: 2, nodes: 2, verdicts: null }
    const lastAttempt: AttemptRecord = { ...common, outcome: 'placed', message: '', node: 'b', scores }
    const status = placementStatus({ pod: 'test/web', lastAttempt, nodes: [], scores: null, message: '' }, 100)
    expect(status.lastAttempt).toMatchObject({ outcome: 'Placed', time: '2026-01-01T00:00:00Z', attempt: 2, nodeName: 'b' })
    expect(status.lastAttempt?.nodes?.map(({ name, total }) => [name, total])).toEqual([
      ['a', 20],
      ['b', 60],
    ])
  })
})
