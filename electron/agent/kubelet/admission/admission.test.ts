import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../../api/core/v1/types.gen.ts'
import { pod } from '../../testing/pods.ts'
import type { Pressure } from '../node/pressure.ts'
import { createAdmission } from './admission.ts'

const node = { metadata: { name: 'moth', labels: { disk: 'ssd', cpus: '4' } }, spec: {}, status: {} } as unknown as Node
const held = new Set<Pressure>()
const admission = (own: Node | null = node) =>
  createAdmission({
    nodeName: 'moth',
    node: () => own,
    allocatable: () => ({ cpu: '2', memory: '1Gi', pods: '3' }),
    sysctls: new Set(['kernel.msgmax']),
    holds: (p) => held.has(p),
  })
const asking = (requests: Record<string, string>, uid = 'new') => pod({ containers: [{ name: 'main', resources: { requests } }] }, { uid })
const reason = (wanted: Pod, active: Pod[] = [], own?: Node | null) => admission(own).admit(wanted, active)?.reason ?? null

describe('admission', () => {
  it('takes what fits, and tells in numbers what does not', () => {
    expect(reason(asking({ cpu: '1', memory: '512Mi' }), [asking({ cpu: '1' }, 'a')])).toBeNull()
    expect(admission().admit(asking({ cpu: '1500m' }), [asking({ cpu: '600m' }, 'a')])).toEqual({
      reason: 'OutOfcpu',
      message: "Node didn't have enough resource: cpu, requested: 1500, used: 600, capacity: 2000",
    })
    expect(reason(asking({ memory: '2Gi' }))).toBe('OutOfmemory')
    expect(reason(asking({ 'example.com/gpu': '1' }))).toBe('OutOfexample.com/gpu')
    expect(
      reason(
        asking({}),
        ['a', 'b', 'c'].map((uid) => asking({}, uid)),
      ),
    ).toBe('OutOfpods')
  })

  it('keeps to names, labels and taints', () => {
    expect(reason(pod({ nodeName: 'other' }))).toBe('NodeName')
    expect(reason(pod({ nodeSelector: { disk: 'hdd' } }))).toBe('NodeAffinity')
    const affinity = (operator: 'Gt' | 'In', values: string[]) => ({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: operator === 'Gt' ? 'cpus' : 'disk', operator, values }] }],
        },
      },
    })
    expect(reason(pod({ affinity: affinity('In', ['ssd']) }))).toBeNull()
    expect(reason(pod({ affinity: affinity('Gt', ['4']) }))).toBe('NodeAffinity')
    const tainted = { ...node, spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } } as Node
    expect(reason(pod(), [], tainted)).toBe('TaintToleration')
    expect(reason(pod({ tolerations: [{ operator: 'Exists' }] }), [], tainted)).toBeNull()
    expect(reason(pod({ nodeSelector: { disk: 'hdd' } }), [], null)).toBeNull()
  })

  it('gives a port of the node to one pod only', () => {
    const port = (hostPort: number, uid: string, more: object = {}) =>
      pod({ containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...more }] }] }, { uid })
    expect(reason(port(80, 'a'), [port(80, 'b')])).toBe('NodePorts')
    expect(reason(port(80, 'a', { protocol: 'UDP' }), [port(80, 'b')])).toBeNull()
    expect(reason(port(80, 'a', { hostIP: '127.0.0.1' }), [port(80, 'b', { hostIP: '10.0.0.1' })])).toBeNull()
    expect(reason(port(80, 'a', { hostIP: '127.0.0.1' }), [port(80, 'b')])).toBe('NodePorts')
  })

  it('allows what cannot harm others', () => {
    const sysctl = (name: string, more: object = {}) => pod({ securityContext: { sysctls: [{ name, value: '1' }] }, ...more })
    expect(reason(sysctl('kernel.shm_rmid_forced'))).toBeNull()
    expect(reason(sysctl('kernel.msgmax'))).toBeNull()
    expect(admission().admit(sysctl('kernel.sem'), [])).toEqual({
      reason: 'SysctlForbidden',
      message: 'forbidden sysctl: "kernel.sem" not allowlisted',
    })
    expect(reason(sysctl('net.ipv4.tcp_syncookies', { hostNetwork: true }))).toBe('SysctlForbidden')
  })

  it('takes no more while it runs short, but what the cluster cannot do without', () => {
    held.add('memory')
    expect(reason(pod())).toBe('Evicted')
    expect(reason(asking({ memory: '1Mi' }))).toBeNull()
    held.add('disk')
    expect(admission().admit(asking({ memory: '1Mi' }), [])).toEqual({
      reason: 'Evicted',
      message: 'The node had condition: [MemoryPressure DiskPressure]. ',
    })
    expect(reason(pod({ priority: 2_000_000_000 }))).toBeNull()
    held.clear()
  })

  it('puts a larger wish off, or refuses it for good', () => {
    const other = asking({ cpu: '1500m' }, 'other')
    expect(admission().resize(asking({ cpu: '400m' }), [other])).toBeNull()
    expect(admission().resize(asking({ cpu: '1' }), [other])).toMatchObject({ reason: 'Deferred' })
    expect(admission().resize(asking({ cpu: '3' }), [])).toMatchObject({
      reason: 'Infeasible',
      message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
    })
  })
})
