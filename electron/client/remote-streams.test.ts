import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { describe, expect, it } from 'vitest'
import { readBody } from './bytes.ts'
import { json, status, thing, things, useServer } from './testing/scripted-server.ts'

const t = useServer()

describe('a watch', () => {
  const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`

  it('gives events split anywhere, says when it is open, and ends when the server ends it', async () => {
    t.handler = (request, response) => {
      expect(request.url).toContain('watch=true&resourceVersion=5&allowWatchBookmarks=true')
      const bytes = Buffer.from(event('ADDED', thing('ä')) + event('BOOKMARK', { kind: 'Thing', metadata: { resourceVersion: '7' } }))
      response.writeHead(200)
      let at = 0
      const step = () => {
        if (at >= bytes.length) return void response.end()
        response.write(bytes.subarray(at, (at += 41)), step)
      }
      step()
    }
    let open = 0
    const seen: string[] = []
    for await (const { type, object } of t
      .client()
      .watch(things, { resourceVersion: '5', allowWatchBookmarks: true, onOpen: () => open++ }))
      seen.push(`${open} ${type} ${object.metadata.name ?? ''} ${object.metadata.resourceVersion}`)
    expect(seen).toEqual(['1 ADDED ä 1', '1 BOOKMARK  7'])
  })

  it('throws what the server says in an ERROR event, or before the watch began', async () => {
    t.handler = (_request, response) => {
      response.writeHead(200)
      response.end(event('ERROR', JSON.parse(status(410, 'Expired'))))
    }
    const c = t.client()
    const drain = async () => {
      for await (const _ of c.watch(things)) expect.unreachable()
    }
    await expect(drain()).rejects.toMatchObject({ reason: 'Expired' })
    t.handler = (_request, response) => json(response, 403, status(403, 'Forbidden'))
    await expect(drain()).rejects.toMatchObject({ reason: 'Forbidden' })
  })

  it('throws 503 when its connection breaks, and frees the stream when its reader leaves', async () => {
    const closed = Promise.withResolvers<void>()
    t.handler = (_request, response) => {
      response.stream.on('close', () => closed.resolve())
      response.writeHead(200)
      response.write(event('ADDED', thing('a')))
    }
    const c = t.client()
    for await (const _ of c.watch(things)) break
    await closed.promise
    const drain = async () => {
      for await (const _ of c.watch(things)) for (const socket of t.sockets) socket.destroy()
    }
    await expect(drain()).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
  })

  it('that is not read does not hold up other calls', async () => {
    const line = event('ADDED', { ...thing('a'), pad: 'x'.repeat(1 << 16) })
    t.handler = (request, response) => {
      if (!request.url.includes('watch')) return json(response, 200, JSON.stringify(thing('b')))
      response.writeHead(200)
      for (let i = 0; i < 256; i++) response.write(line)
    }
    const c = t.client()
    const watch = c.watch(things)[Symbol.asyncIterator]()
    await watch.next()
    expect((await c.get(things, { namespace: 'default', name: 'b' })).metadata.name).toBe('b')
    await watch.return?.()
  })
})

describe('raw requests', () => {
  it('return a refusal instead of throwing it', async () => {
    t.handler = (_request, response) => json(response, 403, status(403, 'Forbidden'), { 'x-a': 'b' })
    const response = await t.client().request({ method: 'GET', path: '/logs', query: { a: ['1', '2'], b: undefined } })
    expect(response.status).toBe(403)
    expect(response.headers['x-a']).toBe('b')
    expect((await readBody(response)).toString()).toContain('Forbidden')
  })
})

describe('a WebSocket', () => {
  it('carries messages both ways, ends with the peer, and shows the protocol that was chosen', async () => {
    const ws = new WebSocketServer({ noServer: true, handleProtocols: (names) => [...names].at(-1) ?? false })
    t.server.on('upgrade', (request, socket, head) =>
      ws.handleUpgrade(request, socket, head, (peer) =>
        peer.on('message', (data: Buffer) => {
          peer.send(data)
          if (data[1] === 9) peer.close()
        }),
      ),
    )
    const socket = await t.client().websocket({
      path: '/api/v1/exec',
      query: { command: ['a', 'b'] },
      protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    })
    expect(socket.protocol).toBe('v4.channel.k8s.io')
    await socket.send(Uint8Array.of(0, 1))
    await socket.send(Uint8Array.of(0, 9))
    const seen: number[][] = []
    for await (const message of socket.messages) seen.push([...message])
    expect(seen).toEqual([
      [0, 1],
      [0, 9],
    ])
    await socket[Symbol.asyncDispose]()
  })

  it("throws the server's Status when the upgrade is refused", async () => {
    t.handler = (_request, response) => json(response, 404, status(404, 'NotFound', 'pods "x" not found'))
    t.server.on('upgrade', (_request, socket: Socket) =>
      socket.end(
        `HTTP/1.1 404 Not Found\r\ncontent-length: ${status(404, 'NotFound', 'pods "x" not found').length}\r\n\r\n${status(404, 'NotFound', 'pods "x" not found')}`,
      ),
    )
    await expect(t.client().websocket({ path: '/x', protocols: ['v5.channel.k8s.io'] })).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'pods "x" not found',
    })
  })
})
