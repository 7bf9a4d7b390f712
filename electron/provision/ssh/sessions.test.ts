import { EventEmitter } from 'node:events'
import type { ClientChannel } from 'ssh2'
import { describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { Sessions } from './sessions.ts'

/** A host that takes this many sessions at a time. */
function host(room: number) {
  const open: EventEmitter[] = []
  const close = (channel: EventEmitter) => {
    open.splice(open.indexOf(channel), 1)
    channel.emit('close')
  }
  const start = async (opened: (channel: ClientChannel) => void) => {
    if (open.length >= room) throw new Error('(SSH) Channel open failure: open failed')
    const channel = new EventEmitter()
    open.push(channel)
    opened(channel as ClientChannel)
    return channel
  }
  return { open, close, start }
}

describe('Sessions', () => {
  it('opens as many as are asked for where the host takes them', async () => {
    const { start, open } = host(10)
    const sessions = new Sessions(new FakeClock())
    await Promise.all(Array.from({ length: 5 }, () => sessions.open(start)))
    expect(open).toHaveLength(5)
    expect(sessions.limit).toBeNull()
  })

  it('waits for a turn once the host has refused one', async () => {
    const { start, open, close } = host(2)
    const sessions = new Sessions(new FakeClock())
    const done: number[] = []
    for (let i = 0; i < 5; i++) void sessions.open(start).then(() => done.push(i))
    await settle()
    expect(done).toEqual([0, 1])
    expect(sessions.limit).toBe(2)
    while (open[0]) {
      close(open[0])
      await settle()
    }
    expect(new Set(done)).toEqual(new Set([0, 1, 2, 3, 4]))
  })

  it('gives up waiting when it is told to, and leaves the turn to others', async () => {
    const { start, open, close } = host(1)
    const sessions = new Sessions(new FakeClock())
    await sessions.open(start)
    const abort = new AbortController()
    const given = sessions.open(start, abort.signal)
    const next = sessions.open(start)
    await settle()
    abort.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    close(open[0] as EventEmitter)
    await next
    expect(open).toHaveLength(1)
  })

  it('asks again while the host clears up the last one, and says so when it takes none', async () => {
    const clock = new FakeClock()
    const none = new Sessions(clock).open(host(0).start)
    const refused = expect(none).rejects.toMatchObject({
      code: 'SSH_CONNECTION_LOST',
      next: expect.stringContaining('MaxSessions') as string,
    })
    await clock.advance(5000)
    await refused
    const lingering = host(0)
    let room = false
    const later = new Sessions(clock).open((opened) => (room ? host(1).start(opened) : lingering.start(opened)))
    await settle()
    room = true
    await clock.advance(100)
    await later
  })

  it('throws what else goes wrong at once', async () => {
    await expect(new Sessions(new FakeClock()).open(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })
})
