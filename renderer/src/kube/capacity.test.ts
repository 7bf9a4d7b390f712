import { describe, expect, it } from 'vitest'
import type { Node } from '../../../electron/api/core/v1/types.gen.ts'
import { capacity } from './capacity.ts'
import { machineRow } from './machine-rows.ts'

const GI = 2 ** 30
const meta = (name: string) => ({ name, uid: name, resourceVersion: '1', creationTimestamp: '' })

function node(name: string, cpu: string, memory: string, unschedulable = false): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: meta(name),
    spec: { unschedulable },
    status: { allocatable: { cpu, memory, pods: '110' }, conditions: [{ type: 'Ready', status: 'True' }] } as unknown as Node['status'],
  }
}
const ROWS = [node('a', '4', '8Gi'), node('b', '2', '16Gi'), node('c', '64', '64Gi', true)].map((n) =>
  machineRow(n.metadata.name, undefined, n),
)
const USES = new Map([
  ['a', { cpu: 1.5, memory: 3 * GI, pods: 2 }],
  ['gone', { cpu: 9, memory: GI, pods: 1 }],
])

describe('capacity', () => {
  it('counts what is offered, asked for and waiting', () => {
    expect(capacity(ROWS, USES, 1)).toMatchObject({
      total: { cpu: 70, memory: 88 * GI },
      requested: { cpu: 1.5, memory: 3 * GI, pods: 2 },
      waiting: 1,
    })
  })
  it('knows the most that one open machine has left', () => {
    expect(capacity(ROWS, USES, 1).mostFree).toEqual({ cpu: 2.5, memory: 16 * GI })
  })
})
