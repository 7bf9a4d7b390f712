import { describe, expect, it } from 'vitest'
import { FlotillaError } from '../../base/errors.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { MachineConnection } from '../ssh/endpoint.ts'
import type { ExecOptions } from '../ssh/exec.ts'
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
  async exec(command: string, { onStdout }: ExecOptions = {}) {
    const script = command.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    this.commands.push(script)
    if (!this.answering) throw new Error('it did not answer')
    // By that a shell shows that it began with the script.
    const mark = /echo (=\w+=)\n/.exec(script)?.[1]
    if (mark !== undefined) await onStdout?.(Buffer.from(`${mark}\n`))
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
  const net: { up: boolean; stuck?: boolean; refuses?: boolean } = { up: true }
  const link = new Link({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    apiPort: () => 1,
    async connect(signal) {
      attempts.push(clock.now())
      if (net.stuck) await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      if (net.refuses) throw new FlotillaError('SSH_AUTH_FAILED', { what: 'No.', why: 'The key is not taken.', next: '' })
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

  it('says how often it tried in vain and when it tries next', async () => {
    const { clock, link, net, states } = harness()
    net.up = false
    await link.start()
    await clock.advance(5000)
    const { attempts: failed = 0, nextAttempt = 0 } = link.link
    expect(failed).toBeGreaterThan(3)
    expect(nextAttempt).toBeGreaterThan(clock.now())
    expect(nextAttempt).toBeLessThanOrEqual(clock.now() + 10_000)
    net.up = true
    await clock.advance(nextAttempt - clock.now())
    expect(link.link).toEqual({ connected: true, since: nextAttempt })
    expect(states.filter(({ connected }) => connected)).toHaveLength(1)
    await link[Symbol.asyncDispose]()
  })

  it('does not hurry back over a way that breaks again each time', async () => {
    const { clock, link, last, attempts } = harness()
    await link.start()
    for (let seconds = 0; seconds < 120; seconds++) {
      if (link.link.connected) last().break('The host or the network ended it.')
      await clock.advance(1000)
    }
    expect(attempts.length).toBeLessThan(30)
    await clock.advance(20_000)
    expect(link.link.connected).toBe(true)
    const before = attempts.length
    last().break()
    await clock.advance(1000)
    expect(attempts.length).toBe(before + 1)
    await link[Symbol.asyncDispose]()
  })

  it('is tried once a minute where the machine refuses it, or has been away for long', async () => {
    const { clock, link, net, attempts } = harness()
    net.refuses = true
    await link.start()
    await clock.advance(600_000)
    expect(attempts.length).toBeLessThan(30)
    net.refuses = false
    net.up = false
    await clock.advance(1_800_000)
    const before = attempts.length
    await clock.advance(3_600_000)
    expect(attempts.length - before).toBeLessThanOrEqual(121)
    net.up = true
    link.poke()
    await link.whenConnected()
    await link[Symbol.asyncDispose]()
  })

  it('gives up an attempt over a network that is gone, and makes it over the new one', async () => {
    const { clock, link, net, attempts } = harness()
    net.stuck = true
    await link.start()
    await clock.advance(3000)
    expect(attempts).toHaveLength(1)
    net.stuck = false
    link.poke()
    await link.whenConnected()
    expect(attempts).toHaveLength(2)
    await link[Symbol.asyncDispose]()
  })

  it('leaves a connection to an address that is not its own any more', async () => {
    const { link, made } = harness()
    await link.start()
    await link.whenConnected()
    link.renew()
    await expect.poll(() => made.length).toBe(2)
    await link.whenConnected()
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
