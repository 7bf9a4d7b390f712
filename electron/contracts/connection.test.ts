import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { FlotillaError } from '../base/errors.ts'
import { settle } from '../base/fake-clock.ts'
import { createCaller } from './caller.ts'
import { call, stream } from './channel.ts'
import { CREDIT, decodeMessage, encodeMessage, type Message, type Port } from './protocol.ts'
import { serveConnection, type Handlers } from './server.ts'

const CHANNELS = {
  add: call(v.object({ a: v.number(), b: v.number() }), v.number()),
  refuse: call(v.object({}), v.number()),
  wait: call(v.object({}), v.string()),
  echo: stream(v.object({ prefix: v.string() }), v.object({ n: v.number() }), v.object({ text: v.string() })),
  flood: stream(v.object({ count: v.number() }), v.never(), v.object({ i: v.number() })),
}

/** Two ports joined by encoded frames, as a WebSocket would join them. */
function pair(): { ui: Port; app: Port; frames: (string | Uint8Array)[] } {
  const frames: (string | Uint8Array)[] = []
  const make = () => {
    const messages: ((m: Message) => void)[] = []
    const closes: (() => void)[] = []
    return { messages, closes }
  }
  const left = make()
  const right = make()
  const port = (own: typeof left, other: typeof left): Port => ({
    post: (message) => {
      const frame = encodeMessage(message)
      frames.push(frame)
      queueMicrotask(() => other.messages.forEach((f) => f(decodeMessage(frame))))
    },
    onMessage: (f) => own.messages.push(f),
    onClose: (f) => own.closes.push(f),
    close: () => [...own.closes, ...other.closes].forEach((f) => f()),
  })
  return { ui: port(left, right), app: port(right, left), frames }
}

function connect(more: Partial<Handlers<typeof CHANNELS>> = {}) {
  const { ui, app, frames } = pair()
  const state = { sent: 0, cancelled: false }
  serveConnection(app, CHANNELS, {
    add: ({ a, b }) => a + b,
    refuse: () => {
      throw new FlotillaError('DISK_FULL', { what: 'Could not write.', why: 'The disk is full.', next: 'Free some space.' })
    },
    wait: (_arg, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          state.cancelled = true
          reject(signal.reason as Error)
        })
      }),
    echo: async ({ prefix }, duplex) => {
      for await (const { value, bytes } of duplex) await duplex.send({ text: `${prefix}${value.n}` }, bytes)
    },
    flood: async ({ count }, duplex) => {
      for (let i = 0; i < count; i++) {
        await duplex.send({ i })
        state.sent++
      }
    },
    ...more,
  })
  return { caller: createCaller(ui, CHANNELS), ui, state, frames }
}

describe('a connection', () => {
  it('answers calls', async () => {
    const { caller } = connect()
    expect(await Promise.all([caller.call('add', { a: 1, b: 2 }), caller.call('add', { a: 3, b: 4 })])).toEqual([3, 7])
  })

  it('tells coded errors in their three parts', async () => {
    const { caller } = connect()
    await expect(caller.call('refuse', {})).rejects.toMatchObject({ failure: { code: 'DISK_FULL', next: 'Free some space.' } })
  })

  it('refuses arguments that do not fit the schema', async () => {
    const { caller } = connect()
    await expect(caller.call('add', { a: 1, b: 'two' } as never)).rejects.toMatchObject({
      failure: { code: 'INVALID_INPUT', why: expect.stringContaining('b: ') },
    })
  })

  it('refuses names that are not there, inherited ones too', async () => {
    const { caller } = connect()
    await expect(caller.call('toString' as never, {} as never)).rejects.toMatchObject({ failure: { code: 'UNSUPPORTED' } })
  })

  it('cancels a call at the other end', async () => {
    const { caller, state } = connect()
    const abort = new AbortController()
    const waiting = caller.call('wait', {}, { signal: abort.signal })
    await settle()
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await settle()
    expect(state.cancelled).toBe(true)
  })

  it('streams both ways, bytes included, until the UI ends', async () => {
    const { caller } = connect()
    const echo = caller.open('echo', { prefix: '#' })
    await echo.send({ n: 1 })
    await echo.send({ n: 2 }, Uint8Array.of(9, 8, 0))
    echo.end()
    const got: unknown[] = []
    for await (const packet of echo) got.push([packet.value.text, packet.bytes && [...packet.bytes]])
    expect(got).toEqual([
      ['#1', undefined],
      ['#2', [9, 8, 0]],
    ])
    expect(echo.signal.aborted).toBe(true)
  })

  it('stops a fast writer until the reader has read', async () => {
    const { caller, state } = connect()
    const flood = caller.open('flood', { count: 1000 })
    await settle()
    expect(state.sent).toBe(CREDIT)
    let n = 0
    for await (const { value } of flood) expect(value.i).toBe(n++)
    expect(n).toBe(1000)
  })

  it('cancels a stream: the writer stops and nothing is reported', async () => {
    const { caller, state, frames } = connect()
    const abort = new AbortController()
    const flood = caller.open('flood', { count: 1000 }, { signal: abort.signal })
    await settle()
    abort.abort(new Error('seen enough'))
    await expect(flood[Symbol.asyncIterator]().next()).resolves.toMatchObject({ done: false })
    await settle()
    expect(state.sent).toBeLessThan(1000)
    expect(frames.some((f) => typeof f === 'string' && f.includes('"fail"'))).toBe(false)
  })

  it('fails a stream whose upstream data does not fit, at both ends', async () => {
    const { caller } = connect()
    const echo = caller.open('echo', { prefix: '' })
    await echo.send({ n: 'x' } as never)
    await expect(echo[Symbol.asyncIterator]().next()).rejects.toMatchObject({ failure: { code: 'INVALID_INPUT' } })
  })

  it('tells everything under way when the connection is lost', async () => {
    const { caller, ui } = connect()
    const waiting = caller.call('wait', {})
    const flood = caller.open('flood', { count: 1000 })
    ui.close()
    await expect(waiting).rejects.toMatchObject({ failure: { code: 'PLANE_UNREACHABLE' } })
    await expect(
      (async () => {
        for await (const _ of flood) continue
      })(),
    ).rejects.toMatchObject({ failure: { code: 'PLANE_UNREACHABLE' } })
    await expect(caller.call('add', { a: 1, b: 1 })).rejects.toMatchObject({ failure: { code: 'PLANE_UNREACHABLE' } })
  })
})

describe('frames', () => {
  it('refuses what is not a message', () => {
    for (const bad of ['null', '{}', '{"t":"call","id":1}', '{"t":"credit","id":1,"n":-1}', '[1]'])
      expect(() => decodeMessage(bad)).toThrow()
    expect(() => decodeMessage(Uint8Array.of(0, 0, 1, 0, 123))).toThrow(RangeError)
  })
})
