import { once } from 'node:events'
import type http from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { beforeEach, describe, expect, it } from 'vitest'
import { unavailable } from '../../machinery/status.ts'
import type { ApiRequest } from '../types.ts'
import { useAgent, asked, at, text } from './testing/agent-fixture.ts'

const t = useAgent()

describe('pods/log', () => {
  const log = (name: string, query = '', more: Partial<ApiRequest> = {}) => t.connector('pods/log').answer(asked(query, more), at(name))

  it('asks the agent with every parameter, as the API server, and streams what it says', async () => {
    t.onAgent = (_request, response) => {
      response.write('one\n')
      response.end('two\n')
    }
    const query =
      'container=c&follow=true&previous=true&sinceSeconds=5&timestamps=true&tailLines=0&limitBytes=9&stream=Stderr&insecureSkipTLSVerifyBackend=true'
    const { status, headers, body } = await log('p', query)
    expect([status, headers['content-type'], await text(body)]).toEqual([200, 'text/plain', 'one\ntwo\n'])
    expect(t.seen).toEqual([
      'kube-apiserver-kubelet-client GET /containerLogs/ns/p/c?follow=true&previous=true&sinceSeconds=5&timestamps=true&tailLines=0&limitBytes=9&stream=Stderr',
    ])
  })

  it('understands booleans as Kubernetes does, whoever wrote them', async () => {
    t.onAgent = (_request, response) => void response.end()
    for (const query of ['follow=True&previous=False', 'follow=1&previous=0&timestamps=FALSE', 'follow']) {
      const { body } = await log('p', query)
      await text(body)
    }
    expect(new Set(t.seen)).toEqual(new Set(['kube-apiserver-kubelet-client GET /containerLogs/ns/p/c?follow=true']))
  })

  it('speaks as upstream of containers, of parameters, of waiting, and of pods that are nowhere', async () => {
    await expect(log('two')).rejects.toMatchObject({
      code: 400,
      message: 'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]',
    })
    await expect(log('p', 'container=z')).rejects.toMatchObject({ code: 400, message: 'container z is not valid for pod p' })
    await expect(log('ghost')).rejects.toMatchObject({ code: 404 })
    await expect(log('p', 'tailLines=-1')).rejects.toMatchObject({
      code: 422,
      message: 'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    })
    await expect(log('p', 'tailLines=x')).rejects.toMatchObject({ code: 400 })
    await expect(log('p', 'sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z')).rejects.toMatchObject({ code: 422 })
    expect(await text((await log('pending')).body)).toBe('')
    t.onAgent = (_request, response) => {
      response.statusCode = 400
      response.end('container "c" in pod "p" is waiting to start: ContainerCreating\n')
    }
    await expect(log('p')).rejects.toMatchObject({
      reason: 'BadRequest',
      message: 'container "c" in pod "p" is waiting to start: ContainerCreating',
    })
  })

  it('ends at the agent when the client goes away', async () => {
    const closed = Promise.withResolvers<void>()
    t.onAgent = (request, response) => {
      request.on('close', () => closed.resolve())
      response.write('one\n')
    }
    const abort = new AbortController()
    const { body } = await log('p', 'follow=true', { signal: abort.signal })
    for await (const _ of body as AsyncIterable<Uint8Array>) break
    await closed.promise
    const second = await log('p', 'follow=true', { signal: abort.signal })
    abort.abort()
    await expect(text(second.body)).rejects.toThrow()
    await expect.poll(() => t.dialed.size).toBe(0)
  })

  it('says which node cannot be reached, and does not believe an agent with another name', async () => {
    t.dialError = unavailable('node moth has no link')
    await expect(log('p')).rejects.toMatchObject({ code: 503, message: 'node moth has no link' })
    t.dialError = new Error('connect ECONNREFUSED')
    await expect(log('p')).rejects.toMatchObject({ code: 503, message: 'the agent of node "moth" cannot be reached: connect ECONNREFUSED' })
    t.dialError = null
    t.agent.setSecureContext({ ...t.pki.serving.current, ca: t.pki.caPem })
    await expect(log('p')).rejects.toMatchObject({ code: 503, message: expect.stringContaining('moth') as string })
    expect(t.seen).toEqual([])
  })

  it('can be read over a WebSocket', async () => {
    t.onAgent = (_request, response) => response.end('hello')
    const socket = new WebSocket(t.upgradeUrl('pods/log', 'p'), ['binary.k8s.io'])
    const parts: Buffer[] = []
    socket.on('message', (part: Buffer) => parts.push(part))
    await once(socket, 'close')
    expect(Buffer.concat(parts).toString()).toBe('hello')
  })
})

describe('exec, attach and port-forward', () => {
  let agentSockets: WebSocket[]
  beforeEach(() => {
    agentSockets = []
    const server = new WebSocketServer({ noServer: true, handleProtocols: (names) => [...names][0] ?? false })
    t.agent.on('upgrade', (request, socket, head: Buffer) => {
      t.seen.push(`${String(request.method)} ${String(request.url)} ${String(request.headers['sec-websocket-protocol'])}`)
      server.handleUpgrade(request, socket, head, (peer) => {
        agentSockets.push(peer)
        peer.on('message', (data: Buffer) => peer.send(data))
      })
    })
  })

  it.each([
    [
      'pods/exec',
      '?container=c&command=sh&command=-c&stdin=true&stdout=true&stderr=true&tty=true',
      '/exec/ns/p/c?input=1&output=1&error=1&tty=1&command=sh&command=-c',
    ],
    ['pods/attach', '?stdout=true', '/attach/ns/p/c?output=1'],
    // As Python writes them.
    ['pods/exec', '?command=ls&stdin=False&stdout=True&stderr=True&tty=False', '/exec/ns/p/c?output=1&error=1&command=ls'],
    ['pods/portforward', '?ports=80,81', '/portForward/ns/p?port=80&port=81'],
  ])('%s is relayed to the agent, which chooses the protocol', async (key, query, path) => {
    const protocols = ['base64url.bearer.authorization.k8s.io.c2VjcmV0', 'v5.channel.k8s.io', 'v4.channel.k8s.io']
    const socket = new WebSocket(t.upgradeUrl(key, 'p', query), protocols)
    await once(socket, 'open')
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    expect(t.seen).toEqual([`GET ${path} v5.channel.k8s.io,v4.channel.k8s.io`].map((line) => line.replace(',v4', ', v4')))
    const big = Buffer.alloc(3 << 20, 7)
    socket.send(big)
    const [back] = (await once(socket, 'message')) as [Buffer]
    expect(back.equals(big)).toBe(true)
    socket.close(1000)
    await once(socket, 'close')
    await expect.poll(() => t.dialed.size).toBe(0)
  })

  it('either side that vanishes ends the other', async () => {
    const one = new WebSocket(t.upgradeUrl('pods/attach', 'p', '?stdout=true'))
    await once(one, 'open')
    one.terminate()
    await expect.poll(() => t.dialed.size).toBe(0)
    const two = new WebSocket(t.upgradeUrl('pods/attach', 'p', '?stdout=true'))
    two.on('error', () => undefined)
    await once(two, 'open')
    agentSockets[1]?.terminate()
    await once(two, 'close')
  })

  it('a reader that does not read holds up the writer, not memory', async () => {
    const socket = new WebSocket(t.upgradeUrl('pods/attach', 'p', '?stdout=true'))
    await once(socket, 'open')
    socket.pause()
    const [peer] = agentSockets
    let sent = 0
    const part = Buffer.alloc(1 << 20)
    const flood = (error?: Error | null) => {
      if (error || sent >= 256) return
      sent++
      peer?.send(part, flood)
    }
    flood()
    let before = -1
    await expect
      .poll(
        () => {
          const still = before === sent
          before = sent
          return still
        },
        { interval: 100 },
      )
      .toBe(true)
    expect(sent).toBeLessThan(64)
    socket.terminate()
  })

  it('a refusal is a Status: of the pod, of the parameters, of the agent', async () => {
    const refusal = async (key: string, name: string, query: string) => {
      const socket = new WebSocket(t.upgradeUrl(key, name, query))
      socket.on('error', () => undefined)
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, http.IncomingMessage]
      const status = JSON.parse(await text(response)) as { code: number; message: string }
      return `${response.statusCode} ${status.code} ${status.message}`
    }
    expect(await refusal('pods/exec', 'pending', '?command=a&stdout=1')).toBe('400 400 pod pending does not have a host assigned')
    expect(await refusal('pods/exec', 'p', '?command=a')).toBe('400 400 you must specify at least 1 of stdin, stdout, stderr')
    expect(await refusal('pods/exec', 'p', '?stdout=1')).toBe('400 400 you must specify at least one command for the container')
    t.agent.removeAllListeners('upgrade')
    t.agent.on('upgrade', (_request, socket: Socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 20\r\n\r\nSPDY is not spoken  '),
    )
    expect(await refusal('pods/exec', 'p', '?command=a&stdout=1')).toBe('403 403 SPDY is not spoken')
  })

  it('without an upgrade is a bad request', async () => {
    await expect(t.connector('pods/exec').answer(asked('command=a&stdout=1'), at('p'))).rejects.toMatchObject({
      code: 400,
      message: 'Upgrade request required',
    })
  })

  it('are there for the in-process client too', async () => {
    const socket = await t.connector('pods/exec').open(asked('command=a&stdin=1'), at('p'), ['v5.channel.k8s.io'])
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    await socket.send(Uint8Array.of(0, 104))
    const reader = socket.messages[Symbol.asyncIterator]()
    expect([...((await reader.next()).value as Uint8Array)]).toEqual([0, 104])
    agentSockets[0]?.close(1000)
    expect((await reader.next()).done).toBe(true)
    t.agent.removeAllListeners('upgrade')
    t.agent.on('upgrade', (_request, refused: Socket) => refused.end('HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\nno such'))
    await expect(t.connector('pods/exec').open(asked('command=a&stdin=1'), at('p'), ['x'])).rejects.toMatchObject({
      code: 404,
      message: 'no such',
    })
  })
})
