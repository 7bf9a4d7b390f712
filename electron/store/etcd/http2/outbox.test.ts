import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Outbox } from './outbox.ts'

/** Takes what it is given, and keeps it for as long as it is stuck. */
class FakeSocket extends EventEmitter {
  readonly writes: string[] = []
  writableLength = 0
  stuck = false
  destroyed = false
  ended = false

  get writableNeedDrain(): boolean {
    return this.writableLength > 0
  }

  write(bytes: Buffer): boolean {
    this.writes.push(bytes.toString('latin1').slice(0, 20))
    if (this.stuck) this.writableLength += bytes.length
    return !this.stuck
  }

  end(): void {
    this.ended = true
  }

  cork(): void {}
  uncork(): void {}
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

function setUp() {
  const socket = new FakeSocket()
  let rooms = 0
  const outbox = new Outbox(socket as unknown as Socket, () => rooms++)
  return { socket, outbox, rooms: () => rooms }
}

describe('an outbox', () => {
  it('makes one write of all that is sent in one turn', async () => {
    const { socket, outbox } = setUp()
    for (const text of ['a', 'b', 'c']) outbox.push(Buffer.from(text))
    expect(socket.writes).toEqual([])
    await turn()
    outbox.push(Buffer.from('d'))
    await turn()
    expect(socket.writes).toEqual(['abc', 'd'])
  })

  it('is full when the peer takes nothing, and says when it is not any more', async () => {
    const { socket, outbox, rooms } = setUp()
    socket.stuck = true
    outbox.push(Buffer.alloc(1_100_000))
    expect(outbox.full).toBe(true)
    await turn()
    expect(outbox.full).toBe(true)
    expect(rooms()).toBe(0)
    socket.writableLength = 0
    socket.emit('drain')
    expect([outbox.full, rooms()]).toEqual([false, 1])
  })

  it('says so too when the socket took all at once, for then it tells of nothing', async () => {
    const { outbox, rooms } = setUp()
    outbox.push(Buffer.alloc(1_100_000))
    await turn()
    expect([outbox.full, rooms()]).toEqual([false, 1])
  })

  it('sends what waits before the end, and nothing after it', async () => {
    const { socket, outbox } = setUp()
    outbox.push(Buffer.from('a'))
    outbox.push(Buffer.from('b'))
    outbox.finish()
    outbox.push(Buffer.from('c'))
    await turn()
    expect([socket.writes, socket.ended]).toEqual([['ab'], true])
  })
})
