import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { shallowRef } from 'vue'
import { ContractError } from '../../../electron/contracts/protocol.ts'
import type { Face } from '../face/face.ts'
import { LOST } from '../face/failure.ts'
import { LogEngine } from './engine/engine.ts'
import type { EnginePort } from './engine/port.ts'
import type { FromEngine } from './engine/protocol.ts'
import { LogSession, type LogTarget } from './session.ts'

interface Opened {
  readonly arg: Record<string, unknown>
  send(text: string): void
  end(): void
  lose(): void
}

/** A face whose streams the test feeds. */
function fakeFace() {
  const opened: Opened[] = []
  const listeners = new Set<() => void>()
  const face = {
    state: shallowRef({ phase: 'open' as const }),
    open(_method: string, arg: Record<string, unknown>) {
      const queue: (string | Error | null)[] = []
      let wake: () => void = () => undefined
      const put = (item: string | Error | null) => {
        queue.push(item)
        wake()
      }
      opened.push({ arg, send: put, end: () => put(null), lose: () => put(new ContractError(LOST)) })
      return {
        async *[Symbol.asyncIterator]() {
          for (;;) {
            while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve))
            const item = queue.shift()
            if (item === null) return
            if (item instanceof Error) throw item
            yield { value: {}, bytes: new TextEncoder().encode(item) }
          }
        },
      }
    },
    whenOpen(fn: () => void) {
      listeners.add(fn)
      fn()
      return { [Symbol.dispose]: () => void listeners.delete(fn) }
    },
  } as unknown as Face
  return { face, opened, reconnect: () => listeners.forEach((fn) => fn()) }
}

/** The engine without a worker: what it is asked it answers at once. */
function enginePort(): EnginePort {
  let tell: (message: FromEngine) => void = () => undefined
  const engine = new LogEngine({ later: (fn, ms) => void setTimeout(fn, ms), clock: () => 0, show: (snapshot) => tell({ snapshot }) })
  return {
    post: ({ call, operation }) => tell({ call, reply: engine.handle(operation) }),
    onMessage: (listener) => (tell = listener),
    close: () => undefined,
  }
}

const TARGET: LogTarget = {
  key: 'a',
  namespace: 'shop',
  pod: 'web',
  container: 'app',
  previous: false,
  label: 'web',
  running: true,
  run: 'one',
}

function follow() {
  const fake = fakeFace()
  const session = new LogSession(fake.face, enginePort())
  session.begin([TARGET], { from: 'tail', lines: 100 })
  session.window(0, 1000, true)
  const rows = () => session.snapshot.value.lines.map(({ text, mark }) => (mark ? mark : text))
  return { ...fake, session, rows, phase: () => session.sources[0]?.state.phase }
}
const settle = () => vi.advanceTimersByTimeAsync(100)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('following a log', () => {
  it('begins with the last lines, and streams', async () => {
    const { opened, rows, phase } = follow()
    expect(opened[0]?.arg).toMatchObject({ follow: true, timestamps: true, tailLines: 100 })
    await settle()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    await settle()
    expect([rows(), phase()]).toEqual([['a'], 'live'])
  })

  it('goes on from the last line after a break, and marks one gap however often the connection broke again', async () => {
    const { opened, rows, reconnect, phase } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n2026-11-21T12:00:01Z b\n')
    await settle()
    opened[0]?.lose()
    await settle()
    expect(phase()).toBe('lost')
    reconnect()
    await settle()
    opened[1]?.lose()
    await settle()
    reconnect()
    await settle()
    expect(opened[2]?.arg).toMatchObject({ sinceTime: '2026-11-21T12:00:01.000000000Z' })
    expect(opened[2]?.arg).not.toHaveProperty('tailLines')
    opened[2]?.send('2026-11-21T12:00:01Z b\n2026-11-21T12:00:02Z c\n')
    await vi.advanceTimersByTimeAsync(2000)
    expect(rows()).toEqual(['a', 'b', expect.objectContaining({ kind: 'gap', state: 'whole', recovered: 1 }), 'c'])
  })

  it('says that some may be missing where the last line does not come again', async () => {
    const { opened, rows, reconnect } = follow()
    opened[0]?.send('2026-11-21T12:00:00.1Z a\n')
    await settle()
    opened[0]?.lose()
    await settle()
    reconnect()
    await settle()
    opened[1]?.send('2026-11-21T12:05:00Z z\n')
    await vi.advanceTimersByTimeAsync(2000)
    expect(rows()).toEqual(['a', expect.objectContaining({ kind: 'gap', state: 'maybe' }), 'z'])
  })

  it('marks the gap of a container that said nothing meanwhile, too', async () => {
    const { opened, rows, reconnect } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    await settle()
    opened[0]?.lose()
    await settle()
    reconnect()
    await vi.advanceTimersByTimeAsync(2000)
    expect(rows()[1]).toMatchObject({ kind: 'gap' })
  })

  it('reads the end of the run before where the container began anew while the connection was away', async () => {
    const { opened, rows, reconnect, session } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    await settle()
    opened[0]?.lose()
    await settle()
    session.update([{ ...TARGET, run: 'two' }])
    reconnect()
    await settle()
    expect(opened[1]?.arg).toMatchObject({ previous: true, sinceTime: '2026-11-21T12:00:00.000000000Z' })
    opened[1]?.send('2026-11-21T12:00:00Z a\n2026-11-21T12:00:03Z last words\n')
    opened[1]?.end()
    await settle()
    expect(opened[2]?.arg).toMatchObject({ follow: true })
    opened[2]?.send('2026-11-21T12:00:09Z new run\n')
    await vi.advanceTimersByTimeAsync(2000)
    expect(rows().filter((row) => typeof row === 'string')).toEqual(['a', 'last words', 'new run'])
  })

  it('ends with the container, and goes on when that begins anew', async () => {
    const { opened, rows, session, phase } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    await settle()
    session.update([{ ...TARGET, running: false }])
    opened[0]?.end()
    await settle()
    expect(phase()).toBe('ended')
    session.update([{ ...TARGET, run: 'two' }])
    await settle()
    expect(opened).toHaveLength(2)
    opened[1]?.send('2026-11-21T12:00:00Z a\n2026-11-21T12:00:05Z b\n')
    await vi.advanceTimersByTimeAsync(2000)
    expect(rows()).toEqual(['a', { kind: 'restart' }, 'b'])
  })

  it('opens again a stream that ended although the container runs', async () => {
    const { opened } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    opened[0]?.end()
    await vi.advanceTimersByTimeAsync(1500)
    expect(opened).toHaveLength(2)
  })

  it('takes in who comes later from their first line on, and keeps the lines of who is gone', async () => {
    const { opened, rows, session } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    await settle()
    session.update([{ ...TARGET, key: 'b', pod: 'web-2', label: 'web-2' }])
    expect(opened[1]?.arg).toMatchObject({ pod: 'web-2', follow: true })
    expect(opened[1]?.arg).not.toHaveProperty('tailLines')
    opened[1]?.send('2026-11-21T11:59:00Z earlier\n')
    await settle()
    expect(rows()).toEqual(['earlier', 'a'])
    expect(session.sources.map(({ target }) => target.label)).toEqual(['web', 'web-2'])
  })
})
