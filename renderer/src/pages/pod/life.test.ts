import { describe, expect, it } from 'vitest'
import type { ContainerStatus } from '../../../../electron/api/core/v1/types.gen.ts'
import { lifeOf } from './life.ts'

const NOW = Date.parse('2026-11-21T12:10:00Z')
const status = (state: ContainerStatus['state'], lastState: ContainerStatus['lastState'] = {}): ContainerStatus => ({
  name: 'app',
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
  lastState,
})
const LAST = { terminated: { exitCode: 137, startedAt: '2026-11-21T12:00:00Z', finishedAt: '2026-11-21T12:04:00Z' } }

describe("a container's life", () => {
  it('is one run while nothing has happened to it', () => {
    expect(lifeOf(status({ running: { startedAt: '2026-11-21T12:00:00Z' } }), NOW)?.parts).toEqual([{ kind: 'run', share: 1 }])
  })
  it('shows the run before, how it ended, and the pause after it', () => {
    const life = lifeOf(status({ running: { startedAt: '2026-11-21T12:05:00Z' } }, LAST), NOW)
    expect(life?.parts.map((part) => [part.kind, part.bad])).toEqual([
      ['run', undefined],
      ['end', true],
      ['wait', undefined],
      ['run', undefined],
    ])
    expect(life?.parts[0]?.share).toBeCloseTo(0.4)
    expect(life?.from).toBe(Date.parse('2026-11-21T12:00:00Z'))
  })
  it('ends in the pause while it backs off', () => {
    expect(lifeOf(status({ waiting: { reason: 'CrashLoopBackOff' } }, LAST), NOW)?.parts.at(-1)).toMatchObject({ kind: 'wait', share: 0.6 })
  })
  it('is nothing before the first run', () => {
    expect(lifeOf(status({ waiting: { reason: 'ContainerCreating' } }), NOW)).toBeNull()
  })
})
