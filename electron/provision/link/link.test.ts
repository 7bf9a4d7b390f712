import { describe, expect, it } from 'vitest'
import { FlotillaError } from '../../base/errors.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { MachineConnection } from '../ssh/endpoint.ts'
import { Backoff } from './backoff.ts'
import { Link, type LinkState } from './link.ts'

/** What a link needs of a connection. */
class FakeConnection {
  readonly #closed = new AbortController()
  readonly commands: string[] = []
  readonly host = 'moth'
  answering = true
  get closed() {
    return this.#closed.signal
  }
  async exec(command: string) {
    this.commands.push(command)
    if (!this.answering) throw new Error('it did not answer')
    return { code: 0, stdout: '', stderr: '' }
  }
  async listen() {
    return { port: 4321, [Symbol.asyncDispose]: async () => undefined }
  }
  break(why = 'The host stopped answering.') {
    this.#closed.abort(new FlotillaError('SSH_CONNECTION_LOST', { what: 'It broke.', why, next: '' }))
  }
  destroy() {
    this.break('destroyed')
  }
  async [Symbol.asyncDispose]() {
    this.break('closed')
  }
}

function harness() {
  const clock = new FakeClock()
  const made: FakeConnection[] = []
  const attempts: number[] = []
  const states: LinkState[] = []
  const net = { up: true }
  const link = new Link({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    apiPort: () => 1,
    async connect() {
      attempts.push(clock.now())
      if (!net.up) throw new FlotillaError('SSH_UNREACHABLE', { what: 'No.', why: 'It did not answer in time.', next: '' })
      const connection = new FakeConnection()
      made.push(connection)
      return { connection, via: null } as unknown as MachineConnection
    },
  })
  link.onChange((state) => states.push(state))
  return { clock, made, attempts, states, net, link, last: () => made.at(-1) as FakeConnection }
}

describe('Backoff', () => {
  it('doubles up to its most, with a spread of half, and begins anew', () => {
    const backoff = new Backoff(seededRandom(1), { firstMs: 100, mostMs: 1000 })
    const waits = Array.from({ length: 8 }, () => backoff.next())
    for (const [i, wait] of waits.entries()) {
      const full = Math.min(1000, 100 * 2 ** i)
      expect(wait).toBeGreaterThanOrEqual(full / 2)
      expect(wait).toBeLessThanOrEqual(full)
    }
    backoff.reset()
    expect(backoff.next()).toBeLessThanOrEqual(100)
  })
})

describe('Link', () => {
  it('connects, writes down the port for the agent, and says so', async () => {
    const { link, last, states } = harness()
    await link.start()
    await link.whenConnected()
    expect(last().commands[0]).toContain('printf %s 4321 > /var/lib/flotilla/link/api-port.new')
    expect(states).toMatchObject([{ connected: true }])
    expect(link.connection).toBe(last())
    await link[Symbol.asyncDispose]()
    expect(link.link.connected).toBe(false)
    expect(last().closed.aborted).toBe(true)
  })

  it('connects again at once after a break, and keeps trying ever more rarely while there is no way', async () => {
    const { clock, link, last, states, net, attempts } = harness()
    await link.start()
    await link.whenConnected()
    net.up = false
    last().break()
    await settle()
    expect(states.at(-1)).toMatchObject({ connected: false, error: { why: 'The host stopped answering.' } })
    await clock.advance(60_000)
    const gaps = attempts.slice(1).map((at, i) => at - (attempts[i] ?? 0))
    expect(gaps.length).toBeGreaterThan(8)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000)
    expect(states.at(-1)).toMatchObject({ error: { code: 'SSH_UNREACHABLE' } })
    const down = link.link.since
    net.up = true
    await clock.advance(10_000)
    expect(link.link.connected).toBe(true)
    expect(link.link.since).toBeGreaterThan(down)
    await link[Symbol.asyncDispose]()
  })

  it('tries at once when it is told that the network changed', async () => {
    const { clock, link, net, attempts } = harness()
    net.up = false
    await link.start()
    await clock.advance(120_000)
    const before = attempts.length
    net.up = true
    link.poke()
    await link.whenConnected()
    expect(attempts.length).toBe(before + 1)
    await link[Symbol.asyncDispose]()
  })

  it('sees after a sleep of this computer whether the connection still answers', async () => {
    const { clock, link, made } = harness()
    await link.start()
    await link.whenConnected()
    const [first] = made
    clock.jump(3_600_000)
    await clock.advance(6000)
    expect(made).toHaveLength(1)
    expect(first?.commands).toContain('exit 0')
    ;(first as FakeConnection).answering = false
    clock.jump(3_600_000)
    await clock.advance(6000)
    expect(made).toHaveLength(2)
    expect(link.link.connected).toBe(true)
    await link[Symbol.asyncDispose]()
  })

  it('refuses streams while it is down, with the reason', async () => {
    const { clock, link, net } = harness()
    net.up = false
    await expect(link.dial(10250)).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST', why: 'It is being made.' })
    await link.start()
    await clock.advance(1000)
    await expect(link.dial(10250)).rejects.toMatchObject({ code: 'SSH_UNREACHABLE', why: 'It did not answer in time.' })
    const waiting = link.whenConnected(AbortSignal.abort(new Error('enough')))
    await expect(waiting).rejects.toThrow('enough')
    await link[Symbol.asyncDispose]()
  })
})
