import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import type { Health } from '../plane/health.ts'
import { Alerts, type Alert } from './alerts.ts'

const health = (silent: string[], looping: string[] = []): Health => ({
  nodes: { ready: 3 - silent.length, total: 3 },
  pods: { running: 5, total: 5 },
  silent,
  looping: looping.map((name) => ({ namespace: 'default', name })),
})

let clock: FakeClock
let told: Alert[]
let alerts: Alerts
beforeEach(() => {
  clock = new FakeClock()
  told = []
  alerts = new Alerts(clock, (alert) => told.push(alert))
  alerts.take(health([]))
})

describe('alerts', () => {
  it('are silent while the cluster comes up, and say nothing afterwards of what was broken then', async () => {
    alerts.take(health(['a'], ['web']))
    await clock.advance(130_000)
    alerts.take(health(['a'], ['web']))
    await clock.advance(10_000)
    expect(told).toEqual([])
  })

  it('tell several things as one, and none of them twice', async () => {
    await clock.advance(130_000)
    alerts.take(health(['a'], ['web']))
    alerts.take(health(['a', 'b'], ['web']))
    await clock.advance(6000)
    alerts.take(health(['a', 'b'], ['web']))
    await clock.advance(6000)
    expect(told).toEqual([
      { type: 'silent', nodes: ['a', 'b'] },
      { type: 'looping', pods: [{ namespace: 'default', name: 'web' }] },
    ])
  })

  it('say nothing of a node that is back at once, nor of a pod that crashes on', async () => {
    await clock.advance(130_000)
    alerts.take(health(['a'], ['web']))
    alerts.take(health([], []))
    await clock.advance(6000)
    alerts.take(health([], ['web']))
    await clock.advance(6000)
    expect(told).toEqual([{ type: 'looping', pods: [{ namespace: 'default', name: 'web' }] }])
  })

  it('are silent again after a wake-up', async () => {
    await clock.advance(130_000)
    alerts.hush()
    alerts.take(health(['a', 'b', 'c']))
    await clock.advance(60_000)
    alerts.take(health([]))
    await clock.advance(70_000)
    alerts.take(health(['a']))
    await clock.advance(6000)
    expect(told).toEqual([{ type: 'silent', nodes: ['a'] }])
  })
})
