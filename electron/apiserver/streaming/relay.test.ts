import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { relay } from './relay.ts'

let server: Server
const open: Socket[] = []
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  server.close()
})

/** Two ends of one connection. */
async function pair(): Promise<[Socket, Socket]> {
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const one = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [two] = await accepted
  open.push(one, two)
  for (const socket of [one, two]) socket.on('error', () => undefined)
  return [one, two]
}

/** client <-> near = relay = far <-> agent */
async function chain() {
  const [client, near] = await pair()
  const [far, agent] = await pair()
  return { client, near, far, agent, done: relay(near, far) }
}
const read = async (socket: Socket) => {
  let text = ''
  for await (const part of socket) text += String(part)
  return text
}

describe('a relay', () => {
  it('carries both ways, and the end of one direction leaves the other open', async () => {
    const { client, agent, done } = await chain()
    client.end('question')
    expect(await read(agent)).toBe('question')
    agent.end('answer, after the question has ended')
    expect(await read(client)).toBe('answer, after the question has ended')
    await done
  })

  it('delivers what was sent before the sender closed', async () => {
    const { client, agent, done } = await chain()
    const big = 'x'.repeat(2 << 20)
    const got = read(client)
    agent.end(big)
    expect((await got).length).toBe(big.length)
    client.end()
    await done
  })

  it.each(['client', 'agent'] as const)('ends both when the %s vanishes', async (who) => {
    const { client, agent, near, far, done } = await chain()
    const [gone, left] = who === 'client' ? [client, agent] : [agent, client]
    const closed = once(left, 'close')
    gone.resetAndDestroy()
    await done
    expect([near.destroyed, far.destroyed]).toEqual([true, true])
    left.resume()
    left.end()
    await closed
  })

  it('makes a fast writer wait for a slow reader', async () => {
    const { client, agent, near } = await chain()
    client.pause()
    const part = Buffer.alloc(1 << 20)
    let sent = 0
    while (agent.write(part) || agent.writableLength < 32 << 20) {
      if (++sent > 200) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    await expect.poll(() => agent.writableLength > 0 && near.writableLength <= 4 << 20).toBe(true)
  })

  it('of a stream that is gone already ends at once', async () => {
    const [, near] = await pair()
    const [far] = await pair()
    near.destroy()
    await once(near, 'close')
    await relay(near, far)
    expect(far.destroyed).toBe(true)
  })
})
