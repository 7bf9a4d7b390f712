import { describe, expect, it } from 'vitest'
import { pod } from '../../testing/pods.ts'
import { shortages, PressureMemory } from '../node/pressure.ts'
import type { Signals } from '../node/pressure.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { exceededLimit, hasLocalLimits } from './local-storage.ts'
import { rank } from './rank.ts'

const MI = 1 << 20

describe('rank', () => {
  it('ends first who exceeds what he asked for, then the less important, then who exceeds most; never what is critical', () => {
    const candidate = (name: string, usage: number, request: string | null, priority = 0) => ({
      pod: pod({ priority, containers: [{ name: 'main', resources: request ? { requests: { memory: request } } : {} }] }, { name }),
      usage: usage * MI,
      containers: new Map(),
    })
    const all = [
      candidate('modest', 10, '100Mi'),
      candidate('greedy', 300, '100Mi'),
      candidate('greedier', 500, null),
      candidate('important', 500, null, 1000),
      candidate('system', 5000, null, 2_000_000_000),
    ]
    expect(rank(all, 'memory').map(({ pod: { metadata } }) => metadata.name)).toEqual(['greedier', 'greedy', 'important', 'modest'])
  })
})

describe('exceededLimit', () => {
  const limited = pod({
    volumes: [
      { name: 'cache', emptyDir: { sizeLimit: '10Mi' } },
      { name: 'ram', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ],
    containers: [{ name: 'a', resources: { limits: { 'ephemeral-storage': '20Mi' } } }, { name: 'b' }],
  })
  const usage = (a: number, cache: number) => ({ containers: new Map([['a', a * MI]]), volumes: new Map([['cache', cache * MI]]) })

  it('finds the limit that was passed, and says so in kubelet’s words', () => {
    expect(exceededLimit(limited, usage(19, 9))).toBeNull()
    expect(exceededLimit(limited, usage(1, 11))).toBe('Usage of EmptyDir volume "cache" exceeds the limit "10Mi". ')
    expect(exceededLimit(limited, usage(21, 0))).toBe('Container a exceeded its local ephemeral storage limit "20Mi". ')
    const whole = pod({
      volumes: [{ name: 'cache', emptyDir: {} }],
      containers: [{ name: 'a', resources: { limits: { 'ephemeral-storage': '20Mi' } } }],
    })
    expect(exceededLimit(whole, usage(15, 6))).toBe('Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ')
  })

  it('is worth measuring only where there is one', () => {
    expect(hasLocalLimits(limited)).toBe(true)
    expect(hasLocalLimits(pod({ volumes: [{ name: 'ram', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }] }))).toBe(false)
  })
})

describe('pressure', () => {
  const disk = (part: number) => ({ capacity: 1000, available: 1000 * part, inodes: 100, inodesFree: 50 })
  const signals = (more: Partial<Signals> = {}): Signals => ({
    memoryAvailable: 1 << 30,
    nodeDisk: disk(0.5),
    imageDisk: disk(0.5),
    pidsAvailable: 900,
    pidsMax: 1000,
    ...more,
  })

  it('holds when little is left, and names what', () => {
    expect([...shortages(signals())]).toEqual([])
    expect([...shortages(signals({ memoryAvailable: 99 * MI }))]).toEqual([['memory', 'memory.available']])
    expect([...shortages(signals({ nodeDisk: disk(0.09) }))]).toEqual([['disk', 'nodefs.available']])
    expect([...shortages(signals({ imageDisk: disk(0.14) }))]).toEqual([['disk', 'imagefs.available']])
    expect([...shortages(signals({ nodeDisk: { ...disk(0.5), inodesFree: 4 } }))]).toEqual([['disk', 'nodefs.inodesFree']])
    expect([...shortages(signals({ pidsAvailable: 10 }))]).toEqual([['pid', 'pid.available']])
  })

  it('is told on for five minutes after it is over', async () => {
    const clock = new FakeClock()
    const memory = new PressureMemory(clock)
    memory.observe(shortages(signals({ memoryAvailable: 0 })))
    await clock.advance(299_000)
    expect(memory.holds('memory')).toBe(true)
    await clock.advance(2000)
    expect(memory.holds('memory')).toBe(false)
    expect(memory.holds('disk')).toBe(false)
  })
})
