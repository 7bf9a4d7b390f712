import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { WaitingPods } from './waiting-pods.ts'

let clock: FakeClock
let waiting: WaitingPods
beforeEach(() => {
  clock = new FakeClock()
  waiting = new WaitingPods(clock)
})
const waits = (...plugins: string[]) => new Map(plugins.map((plugin, i) => [plugin, 1000 * (i + 1)]))

describe('WaitingPods', () => {
  it('lets a pod go at once that nobody holds', async () => {
    expect(await waiting.wait('pod', new Map())).toBeNull()
  })

  it('lets a pod go when all have given leave', async () => {
    const decided = waiting.wait('pod', waits('A', 'B'))
    expect([waiting.allow('pod', 'A'), waiting.allow('pod', 'A'), waiting.allow('pod', 'B')]).toEqual([true, false, true])
    expect(await decided).toBeNull()
    expect(clock.pending).toBe(0)
  })

  it('refuses in the name of the one whose time runs out first', async () => {
    const decided = waiting.wait('pod', waits('A', 'B'))
    await clock.advance(1000)
    expect(await decided).toMatchObject({ code: 'Unschedulable', plugin: 'A' })
    expect(clock.pending).toBe(0)
  })

  it('refuses when one rejects, and when all are rejected', async () => {
    const [first, second] = [waiting.wait('first', waits('A')), waiting.wait('second', waits('A'))]
    expect(waiting.reject('first', 'A', 'no')).toBe(true)
    expect(waiting.reject('first', 'A', 'no')).toBe(false)
    waiting.rejectAll('stopped')
    expect([(await first)?.reasons, (await second)?.reasons]).toEqual([['no'], ['stopped']])
  })
})
