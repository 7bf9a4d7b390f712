import { beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred } from '../base/async.ts'
import { FlotillaError } from '../base/errors.ts'
import { FakeClock, settle } from '../base/fake-clock.ts'
import type { PlaneHost } from '../plane/host.ts'
import { keepPlane } from './plane-keeper.ts'
import { translator } from './texts/texts.ts'

const { answers, asked } = vi.hoisted(() => ({ answers: [] as number[], asked: [] as string[] }))
vi.mock('electron', () => ({
  app: { whenReady: () => Promise.resolve() },
  dialog: {
    showMessageBox: ({ message }: { message: string }) => {
      asked.push(message)
      return Promise.resolve({ response: answers.shift() ?? 1 })
    },
  },
}))

const fault = (why: string) => new FlotillaError('INTERNAL', { what: 'The control plane stopped.', why, next: '' })

let clock: FakeClock
let planes: { ready(): void; crash(why: string): void }[]
let restarts: string[]
beforeEach(() => {
  clock = new FakeClock()
  planes = []
  restarts = []
  asked.length = answers.length = 0
})

function launch(): PlaneHost {
  const ready = deferred<never>()
  const crashed = deferred<FlotillaError>()
  ready.promise.catch(() => undefined)
  planes.push({
    ready: () => ready.resolve(undefined as never),
    crash(why) {
      ready.reject(fault(why))
      crashed.resolve(fault(why))
    },
  })
  return { ready: ready.promise, crashed: crashed.promise, [Symbol.asyncDispose]: () => Promise.resolve() } as unknown as PlaneHost
}
const keep = () => keepPlane({ launch, clock, text: () => translator('en'), onRestart: ({ why }) => restarts.push(why) })

describe('a control plane', () => {
  it('that crashes is started again and that is told, later each time, and a person is asked when it does not help', async () => {
    const over = keep()
    for (const [at, wait] of [0, 1000, 5000].entries()) {
      planes[at]?.ready()
      planes[at]?.crash(`fault ${at}`)
      await settle()
      if (wait > 0) expect(planes).toHaveLength(at + 1)
      await clock.advance(wait)
      expect(planes).toHaveLength(at + 2)
    }
    expect(restarts).toEqual(['fault 0', 'fault 1', 'fault 2'])
    planes[3]?.ready()
    planes[3]?.crash('fault 3')
    await over
    expect(asked).toEqual(['The control plane stopped.'])
  })

  it('that ran for long has its earlier crashes forgotten', async () => {
    void keep()
    for (let at = 0; at < 6; at++) {
      planes[at]?.ready()
      await clock.advance(61_000)
      planes[at]?.crash('now and then')
      await settle()
      await clock.advance(0)
    }
    expect([restarts.length, asked.length]).toEqual([6, 0])
  })

  it('that cannot start is tried again when the person says so', async () => {
    answers.push(0, 1)
    const over = keep()
    planes[0]?.crash('the disk is full')
    await settle()
    planes[1]?.crash('the disk is full')
    await over
    expect([planes.length, restarts.length, asked.length]).toEqual([2, 0, 2])
  })
})
