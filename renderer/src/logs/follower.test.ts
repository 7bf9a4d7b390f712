import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { shallowRef } from 'vue'
import { ContractError } from '../../../electron/contracts/protocol.ts'
import type { Face } from '../face/face.ts'
import { LOST } from '../face/failure.ts'
import { LogBuffer } from './buffer.ts'
import { LogFollower } from './follower.ts'
import { isBreak } from './line.ts'

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

function follow(running: () => boolean = () => true) {
  const fake = fakeFace()
  const buffer = new LogBuffer({ schedule: (fn) => fn() })
  const follower = new LogFollower({
    face: fake.face,
    buffer,
    target: { namespace: 'shop', pod: 'web', container: 'app', previous: false, tailLines: 100 },
    isRunning: running,
  })
  const texts = () => buffer.rows.map((row) => (isBreak(row) ? `[${row.kind}] ${row.text}` : row.text))
  return { ...fake, buffer, follower, texts }
}
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('following a log', () => {
  it('begins with the last lines, and streams', async () => {
    const { opened, texts, follower } = follow()
    expect(opened[0]?.arg).toMatchObject({ follow: true, timestamps: true, tailLines: 100 })
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    await settle()
    expect([texts(), follower.state.value.phase]).toEqual([['a'], 'live'])
  })

  it('goes on from the last line after a break, and marks one gap however often the connection broke again', async () => {
    const { opened, texts, reconnect, follower } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n2026-11-21T12:00:01Z b\n')
    await settle()
    opened[0]?.lose()
    await settle()
    expect(follower.state.value.phase).toBe('lost')
    reconnect()
    opened[1]?.lose()
    await settle()
    reconnect()
    expect(opened[2]?.arg).toMatchObject({ sinceTime: '2026-11-21T12:00:01.000000000Z' })
    expect(opened[2]?.arg).not.toHaveProperty('tailLines')
    opened[2]?.send('2026-11-21T12:00:01Z b\n2026-11-21T12:00:02Z c\n')
    await vi.advanceTimersByTimeAsync(2000)
    expect(texts()).toHaveLength(4)
    expect(texts()[2]).toMatch(/^\[gap\] .*1 line fetched again, none missing/)
    expect(texts()[3]).toBe('c')
  })

  it('marks the gap of a container that said nothing meanwhile, too', async () => {
    const { opened, texts, reconnect } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    await settle()
    opened[0]?.lose()
    await settle()
    reconnect()
    await vi.advanceTimersByTimeAsync(2000)
    expect(texts()[1]).toMatch(/^\[gap\]/)
  })

  it('ends with the container, and goes on when that begins anew', async () => {
    let running = true
    const { opened, texts, follower } = follow(() => running)
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    running = false
    opened[0]?.end()
    await settle()
    expect(follower.state.value.phase).toBe('ended')
    follower.restarted()
    expect(opened).toHaveLength(2)
    opened[1]?.send('2026-11-21T12:00:00Z a\n2026-11-21T12:00:05Z b\n')
    await vi.advanceTimersByTimeAsync(2000)
    expect(texts()).toEqual(['a', expect.stringMatching(/^\[restart\]/), 'b'])
  })

  it('opens again a stream that ended although the container runs', async () => {
    const { opened } = follow()
    opened[0]?.send('2026-11-21T12:00:00Z a\n')
    opened[0]?.end()
    await vi.advanceTimersByTimeAsync(1000)
    expect(opened).toHaveLength(2)
  })
})
