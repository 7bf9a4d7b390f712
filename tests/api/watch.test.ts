import { on, once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { configMap } from '../../electron/api/kinds.gen.ts'
import { http1, json, serve, session, type Served } from './served.ts'

let served: Served
let h2: ClientHttp2Session
beforeAll(async () => {
  served = await serve()
  h2 = session(served)
})
afterAll(async () => {
  h2.close()
  await served[Symbol.asyncDispose]()
})

const path = '/api/v1/namespaces/default/configmaps'
const make = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) =>
  served.admin.create(configMap, { metadata: { name, namespace: 'default', labels }, data })
interface Line {
  readonly type: string
  readonly object: { readonly code?: number; readonly metadata: { readonly name?: string; readonly resourceVersion?: string } }
}

/** The lines of a watch as they come. */
async function* lines(stream: ClientHttp2Stream): AsyncGenerator<Line, void, void> {
  let rest = ''
  for await (const part of stream) {
    const all = (rest + String(part)).split('\n')
    rest = all.pop() ?? ''
    for (const line of all) yield JSON.parse(line) as Line
  }
}

async function open(query: string, on = h2) {
  const stream = on.request({ ':path': `${path}?watch=1&${query}` })
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  return { stream, status: headers[':status'], lines: lines(stream) }
}
/** A client's end of a watch over a WebSocket. */
function webSocket(url: string, tls: { ca: string; cert?: string; key?: string }) {
  const socket = new WebSocket(url, tls)
  const opened = once(socket, 'open')
  const messages = on(socket, 'message')
  return {
    opened,
    async next(): Promise<Line> {
      const [data] = (await messages.next()).value as [Buffer]
      return JSON.parse(String(data)) as Line
    },
    async [Symbol.asyncDispose]() {
      const over = socket.readyState === WebSocket.CLOSED ? null : once(socket, 'close')
      socket.terminate()
      await over
    },
  }
}

const next = async (from: AsyncGenerator<Line, void, void>) => (await from.next()).value as Line
const revision = async () => (await served.admin.list(configMap)).metadata.resourceVersion ?? ''

describe('a watch over a socket', () => {
  it('sends each event when it happens', async () => {
    const { stream, status, lines: events } = await open(`resourceVersion=${await revision()}`)
    expect(status).toBe(200)
    const made = await make('a')
    expect(await next(events)).toMatchObject({
      type: 'ADDED',
      object: { metadata: { name: 'a', resourceVersion: made.metadata.resourceVersion } },
    })
    await served.admin.delete(configMap, made.metadata)
    const gone = await next(events)
    expect(gone.type).toBe('DELETED')
    expect(Number(gone.object.metadata.resourceVersion)).toBe(Number(made.metadata.resourceVersion) + 1)
    stream.close()
  })

  it('is as good over a WebSocket, each event a message', async () => {
    const { url, tls } = served
    await using socket = webSocket(`${url.replace('https', 'wss')}${path}?watch=1&resourceVersion=${await revision()}`, tls)
    await socket.opened
    for (const name of ['ws-a', 'ws-b', 'ws-c']) await make(name)
    const events = [await socket.next(), await socket.next(), await socket.next()]
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual(['ws-a', 'ws-b', 'ws-c'].map((name) => ['ADDED', name]))
  })

  it('over a WebSocket is refused as any other is', async () => {
    const { url } = served
    await using socket = webSocket(`${url.replace('https', 'wss')}${path}?watch=1`, { ca: served.tls.ca })
    await expect(socket.opened).rejects.toThrow('Unexpected server response: 403')
  })

  it('goes on from where another ended, and misses nothing', async () => {
    const from = await revision()
    for (let i = 0; i < 20; i++) await make(`b${i}`)
    const first = await open(`resourceVersion=${from}`)
    const half: Line[] = []
    while (half.length < 10) half.push(await next(first.lines))
    first.stream.close()
    await make('b20')
    const second = await open(`resourceVersion=${half.at(-1)?.object.metadata.resourceVersion ?? ''}`)
    const rest: Line[] = []
    while (rest.length < 11) rest.push(await next(second.lines))
    second.stream.close()
    expect([...half, ...rest].map((e) => e.object.metadata.name)).toEqual(Array.from({ length: 21 }, (_, i) => `b${i}`))
  })

  it('from too far back is 410 in its first line', async () => {
    const { lines: events } = await open('resourceVersion=1')
    const error = await next(events)
    expect([error.type, error.object.code]).toEqual(['ERROR', 410])
    expect(await next(events)).toBeUndefined()
  })

  it('ends when its time is over', async () => {
    const began = performance.now()
    const { lines: events } = await open(`resourceVersion=${await revision()}&timeoutSeconds=1&allowWatchBookmarks=true`)
    expect((await next(events)).type).toBe('BOOKMARK')
    expect(await next(events)).toBeUndefined()
    expect(performance.now() - began).toBeGreaterThan(900)
  })

  it('is given up when its client goes', async () => {
    const gauge = async () => {
      const text = (await http1(served, '/metrics')).body.toString()
      return Number(
        /apiserver_longrunning_requests\{verb="WATCH",group="",version="v1",resource="configmaps",[^}]*} (\d+)/.exec(text)?.[1] ?? 0,
      )
    }
    await expect.poll(gauge).toBe(0)
    const own = session(served)
    await Promise.all(Array.from({ length: 50 }, () => open('', own)))
    expect(await gauge()).toBe(50)
    own.destroy()
    await expect.poll(gauge).toBe(0)
  })

  it('works on HTTP/1.1', async () => {
    const { cert, key, ca } = served.tls
    const socket = connect({ host: '127.0.0.1', port: served.port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    await once(socket, 'secureConnect')
    socket.write(`GET ${path}?watch=1&resourceVersion=${await revision()} HTTP/1.1\r\nhost: x\r\n\r\n`)
    let text = ''
    socket.on('data', (part) => (text += String(part)))
    await expect.poll(() => text).toContain('Transfer-Encoding: chunked')
    await make('one-one')
    await expect.poll(() => text).toContain('"name":"one-one"')
    socket.destroy()
  })
})

describe('a client that does not read', () => {
  it('holds up nobody, and is told to list again', async () => {
    const { cert, key, ca } = served.tls
    const slow = connect({ host: '127.0.0.1', port: served.port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    await once(slow, 'secureConnect')
    slow.pause()
    const from = await revision()
    slow.write(`GET ${path}?watch=1&resourceVersion=${from}&labelSelector=flood HTTP/1.1\r\nhost: x\r\n\r\n`)
    const own = session(served)
    const quick = await open(`resourceVersion=${from}&labelSelector=flood`, own)
    let seen = 0
    const counting = (async () => {
      for await (const _line of quick.lines) seen++
    })()
    await make('flood', {}, { flood: '' })
    const pad = 'x'.repeat(6000)
    for (let i = 0; i < 9500; i++) {
      await served.admin.patch(
        configMap,
        { name: 'flood', namespace: 'default' },
        { type: 'merge', body: { data: { pad: pad + String(i) } } },
      )
      // The memory store answers without I/O; the sockets must have their turn.
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await expect.poll(() => seen, { timeout: 20_000 }).toBe(9501)
    let tail = ''
    slow.on('data', (part) => (tail = (tail + String(part)).slice(-2000)))
    slow.resume()
    await expect.poll(() => tail, { timeout: 20_000 }).toContain('"reason":"Expired"')
    slow.destroy()
    quick.stream.close()
    own.close()
    await counting
  })
})

describe('a thousand watches', () => {
  it('all get each event', async () => {
    const from = await revision()
    const all = await Promise.all(Array.from({ length: 1000 }, () => open(`resourceVersion=${from}&labelSelector=wide`)))
    for (let i = 0; i < 5; i++) await make(`wide${i}`, {}, { wide: '' })
    const got = await Promise.all(
      all.map(async ({ lines: events, stream }) => {
        const names: unknown[] = []
        while (names.length < 5) names.push((await next(events)).object.metadata.name)
        stream.close()
        return names.join()
      }),
    )
    expect(new Set(got)).toEqual(new Set(['wide0,wide1,wide2,wide3,wide4']))
  })
})

describe('when the server stops', () => {
  it('watches end in order, and the port is closed', async () => {
    await using short = await serve()
    const own = session(short)
    const stream = own.request({ ':path': `${path}?watch=1` })
    await once(stream, 'response')
    const ended = once(stream.resume(), 'end')
    const closed = once(own, 'close')
    await short.server[Symbol.asyncDispose]()
    await ended
    await closed
    await expect(http1(short, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('requests under way are answered first', async () => {
    await using short = await serve()
    const waits = http1(short, `${path}?resourceVersion=999999`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const stopping = short.listening[Symbol.asyncDispose]()
    expect(json(await waits)).toMatchObject({ code: 504, reason: 'Timeout' })
    await stopping
  })
})
