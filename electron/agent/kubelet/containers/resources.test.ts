import { describe, expect, it } from 'vitest'
import { container, pod } from '../../testing/pods.ts'
import { containerResources, cpuQuota, cpuShares, oomScoreAdjust } from './resources.ts'

const GI = 1 << 30

describe('container resources', () => {
  it('turns cores into weights and quotas, with the kernel’s least and most', () => {
    expect([0, 1, 100, 1000, 300_000].map(cpuShares)).toEqual([2, 2, 102, 1024, 262_144])
    expect([0, 1, 5, 100, 2500].map(cpuQuota)).toEqual([0, 1000, 1000, 10_000, 250_000])
  })

  it('takes the limit as request where none is given', () => {
    const own = container({ name: 'main', resources: { limits: { cpu: '500m', memory: '64Mi' } } })
    const input = { pod: pod({ containers: [own] }), container: own, memoryCapacity: GI, cgroupVersion: 1 as const }
    expect(containerResources(input)).toMatchObject({
      cpuShares: 512n,
      cpuQuota: 50_000n,
      cpuPeriod: 100_000n,
      memoryLimitInBytes: BigInt(64 << 20),
    })
    expect(containerResources({ ...input, cgroupVersion: 2 }).unified).toEqual({ 'memory.oom.group': '1' })
  })

  it.each([
    ['a pod that asks for nothing', {}, 1000],
    ['half of the memory', { requests: { memory: '512Mi' } }, 500],
    ['almost all', { requests: { memory: '1023Mi' } }, 3],
    ['cpu alone', { requests: { cpu: '1' } }, 999],
    ['all that it may use', { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }, -997],
  ])('ends first what promises least: %s', (_name, resources, score) => {
    const own = container({ name: 'main', resources })
    expect(oomScoreAdjust(pod({ containers: [own] }), own, GI)).toBe(score)
  })

  it('keeps a sidecar as long as what it serves, and what the node needs longest', () => {
    const side = container({ name: 'side', restartPolicy: 'Always' })
    const web = pod({ initContainers: [side], containers: [{ name: 'main', resources: { requests: { memory: '512Mi' } } }] })
    expect(oomScoreAdjust(web, side, GI)).toBe(500)
    const critical = pod({ priority: 2_000_001_000 })
    expect(oomScoreAdjust(critical, container({ name: 'main' }), GI)).toBe(-997)
  })
})
