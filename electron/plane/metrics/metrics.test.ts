import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { readHistory, writeHistory } from './file.ts'
import { MetricsHistory } from './history.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { Ring } from './ring.ts'
import { Series } from './series.ts'

const MINUTE = 60_000
const T0 = Date.parse('2026-11-21T12:00:00Z')

describe('a ring', () => {
  it('keeps the newest values, and none where none was', () => {
    const ring = new Ring(100)
    for (let step = 0; step < 250; step++) if (step !== 200) ring.set(step, step)
    expect([149, 150, 199, 200, 201, 249, 250].map((step) => ring.get(step))).toEqual([NaN, 150, 199, NaN, 201, 249, NaN])
  })
  it('begins anew after a pause that is longer than itself', () => {
    const ring = new Ring(10)
    ring.set(5, 1)
    ring.set(500, 2)
    expect([ring.get(5), ring.get(499), ring.get(500)]).toEqual([NaN, NaN, 2])
  })
  it('takes no more room than it needs', () => {
    const ring = new Ring(2016)
    ring.set(1, 1)
    expect(ring.bytes).toBe(64)
  })
})

describe('a series', () => {
  it('has means of what is finer in what is coarser', () => {
    const series = new Series()
    for (let i = 0; i < 8; i++) series.add(T0 + i * 15_000, { cpu: i })
    expect(series.values('cpu', 0, T0 + 7 * 15_000, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(series.values('cpu', 1, T0 + MINUTE, 3)).toEqual([null, 1.5, 5.5])
    expect(series.values('cpu', 2, T0, 1)).toEqual([3.5])
    expect(series.values('memory', 0, T0, 1)).toEqual([null])
  })
})

describe('the history', () => {
  it('forgets who was measured longest ago when there is too much', () => {
    const history = new MetricsHistory(3000)
    for (let i = 0; i < 10; i++) history.add(T0 + i * MINUTE, { kind: 'pod', name: `shop/${i}` }, { cpu: 1, memory: 2 })
    history.trim(T0 + 9 * MINUTE)
    expect(history.bytes).toBeLessThanOrEqual(3000)
    const names = [...history.entries()].map(({ subject }) => subject.name)
    expect(names).toContain('shop/9')
    expect(names).not.toContain('shop/0')
  })
  it('forgets the long past of containers before that of nodes', () => {
    const history = new MetricsHistory(4100)
    for (const kind of ['node', 'pod', 'container'] as const)
      for (let i = 0; i < 4; i++) history.add(T0 + i * 600_000, { kind, name: kind }, { cpu: 1, memory: 2 })
    history.trim(T0 + 3 * 600_000)
    expect(history.bytes).toBeLessThanOrEqual(4100)
    const { series } = history.history(
      {
        of: [
          { kind: 'node', name: 'node' },
          { kind: 'container', name: 'container' },
        ],
        range: 'fortnight',
      },
      T0 + 3 * 600_000,
    )
    expect(series.map((one) => one?.cpu.filter((value) => value !== null).length)).toEqual([4, 0])
    expect(history.top({ kind: 'container', by: 'cpu', limit: 9 }, T0 + 3 * 600_000).items).toHaveLength(1)
  })
  it('tells who uses most of those that are measured still', () => {
    const history = new MetricsHistory()
    history.add(T0, { kind: 'pod', name: 'shop/gone', node: 'a' }, { cpu: 9 })
    history.add(T0 + 5 * MINUTE, { kind: 'pod', name: 'shop/web', node: 'a' }, { cpu: 1, memory: 5 })
    history.add(T0 + 5 * MINUTE, { kind: 'pod', name: 'data/db', node: 'b' }, { cpu: 2, memory: 3 })
    const names = (more: object) =>
      history.top({ kind: 'pod', by: 'cpu', limit: 10, ...more }, T0 + 5 * MINUTE).items.map(({ name }) => name)
    expect(names({})).toEqual(['data/db', 'shop/web'])
    expect(names({ by: 'memory' })).toEqual(['shop/web', 'data/db'])
    expect(names({ namespace: 'shop' })).toEqual(['shop/web'])
    expect(names({ node: 'b' })).toEqual(['data/db'])
  })
})

describe('the sampler', () => {
  let dir: string
  let clock: FakeClock
  let metrics: Metrics
  let cpu: number
  let asked: number
  const read = (
    range: 'hour' | 'day' = 'hour',
    of: { kind: 'node' | 'pod' | 'workload' | 'namespace' | 'cluster'; name: string } = { kind: 'node', name: 'a' },
  ) => Promise.resolve(metrics.handlers['metrics.history']({ of: [of], range }, new AbortController().signal))
  /** Files are read and written in their own time. */
  const measured = (at: number) =>
    vi.waitFor(async () => {
      const { measuredAt } = await metrics.handlers['metrics.status'](undefined, new AbortController().signal)
      expect(measuredAt).toBe(at)
    })
  const start = () => createMetrics({ client: client as never, clock, logger: silentLogger, dir, cpuTime: () => 0 })
  const client = {
    list: async (kind: { resource: string }) => ({
      items:
        kind.resource === 'nodes'
          ? ['a', 'dead'].map((name) => ({ metadata: { name } }))
          : [
              {
                metadata: {
                  uid: 'u1',
                  name: 'web-abc-1',
                  namespace: 'shop',
                  labels: { 'pod-template-hash': 'abc' },
                  ownerReferences: [{ kind: 'ReplicaSet', name: 'web-abc', controller: true }],
                },
              },
            ],
    }),
    request: async ({ path }: { path: string }) => {
      asked++
      const used = { cpu: { usageNanoCores: cpu * 1e9 }, memory: { workingSetBytes: 1024 } }
      const summary = {
        node: { ...used, network: { rxBytes: asked * 15_000, txBytes: 7 }, fs: { usedBytes: 99 } },
        pods: [{ podRef: { name: 'web-abc-1', namespace: 'shop', uid: 'u1' }, ...used, containers: [{ name: 'app', ...used }] }],
      }
      const status = path.includes('/dead/') ? 503 : 200
      return {
        status,
        headers: {},
        body: Object.assign(ReadableStream.from([Buffer.from(JSON.stringify(summary))]), { [Symbol.asyncDispose]: async () => undefined }),
      }
    },
  }
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'metrics-'))
    clock = new FakeClock(T0)
    cpu = 1
    asked = 0
    metrics = start()
    await metrics.start()
    await measured(T0)
  })
  afterEach(async () => {
    await metrics[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  })

  it('measures every 15 s, and says who is silent', async () => {
    cpu = 2
    await clock.advance(15_000)
    await measured(T0 + 15_000)
    const { step, series } = await read()
    expect(step).toBe(15_000)
    expect(series[0]?.cpu.slice(-2)).toEqual([1, 2])
    // Two agents are asked in a round, so what has been received grew by two steps.
    expect(series[0]?.received.slice(-2)).toEqual([null, 2000])
    expect(series[0]?.disk.at(-1)).toBe(99)
    expect(await metrics.handlers['metrics.status'](undefined, new AbortController().signal)).toMatchObject({ nodes: 2, silent: ['dead'] })
  })

  it('adds up pods to workloads and namespaces, nodes to the cluster', async () => {
    for (const of of [
      { kind: 'pod', name: 'shop/web-abc-1' },
      { kind: 'workload', name: 'shop/Deployment/web' },
      { kind: 'namespace', name: 'shop' },
      { kind: 'cluster', name: '' },
    ] as const)
      expect((await read('hour', of)).series[0]?.cpu.at(-1), of.kind).toBe(1)
    expect((await read('hour', { kind: 'pod', name: 'shop/other' })).series).toEqual([null])
  })

  it('survives a restart, with a gap where it did not run', async () => {
    await metrics[Symbol.asyncDispose]()
    clock.jump(3 * MINUTE)
    metrics = start()
    await metrics.start()
    await measured(clock.now())
    const { series } = await read('day')
    expect(series[0]?.cpu.slice(-4)).toEqual([1, null, null, 1])
  })
})

describe('the file', () => {
  let dir: string
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'metrics-'))))
  afterEach(() => rm(dir, { recursive: true }))
  const never = (why: unknown) => {
    throw why
  }

  it('keeps within its budget, with who was measured last', async () => {
    const history = new MetricsHistory()
    for (let i = 0; i < 200; i++)
      for (let n = 0; n < 20; n++) history.add(T0 + i * 1000 + n * 15_000, { kind: 'pod', name: `shop/${i}` }, { cpu: Math.sin(i * n) })
    expect(await writeHistory(dir, history, 8000)).toBeLessThanOrEqual(8000)
    const again = new MetricsHistory()
    await readHistory(dir, again, never)
    const names = [...again.entries()].map(({ subject }) => subject.name)
    expect(names).toContain('shop/199')
    expect(names.length).toBeLessThan(200)
  })

  it('begins anew where it is damaged', async () => {
    await writeFile(join(dir, 'history.bin.gz'), 'nonsense')
    const why: unknown[] = []
    expect(await readHistory(dir, new MetricsHistory(), (error) => why.push(error))).toBe(0)
    expect(why).toHaveLength(1)
    expect(await readHistory(dir, new MetricsHistory(), never)).toBe(0)
  })
})
