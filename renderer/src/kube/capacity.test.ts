import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../../electron/api/core/v1/types.gen.ts'
import { capacity, requestsByNode } from './capacity.ts'
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
const pod = (name: string, nodeName: string, cpu: string, memory: string, phase: Pod['status']['phase'] = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name),
  spec: { containers: [{ name: 'c', resources: { requests: { cpu, memory } } }], nodeName },
  status: { phase },
})

const ROWS = [node('a', '4', '8Gi'), node('b', '2', '16Gi'), node('c', '64', '64Gi', true)].map((n) =>
  machineRow(n.metadata.name, undefined, n),
)
const PODS = [
  pod('1', 'a', '1', '2Gi'),
  pod('2', 'a', '500m', '1Gi'),
  pod('3', 'b', '1', '1Gi', 'Succeeded'),
  pod('4', '', '1', '1Gi', 'Pending'),
]

describe('capacity', () => {
  it('sums requests by node, without pods that have ended', () => {
    expect(requestsByNode(PODS).get('a')).toEqual({ cpu: 1.5, memory: 3 * GI, pods: 2 })
    expect(requestsByNode(PODS).has('b')).toBe(false)
  })
  it('counts what is offered, asked for and waiting', () => {
    expect(capacity(ROWS, PODS)).toMatchObject({
      total: { cpu: 70, memory: 88 * GI },
      requested: { cpu: 1.5, memory: 3 * GI, pods: 2 },
      waiting: 1,
    })
  })
  it('knows the most that one open machine has left', () => {
    expect(capacity(ROWS, PODS).mostFree).toEqual({ cpu: 2.5, memory: 16 * GI })
  })
})
