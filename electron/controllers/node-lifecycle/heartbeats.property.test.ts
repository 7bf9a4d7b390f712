import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { randomInt, seededRandom, type Random } from '../../base/random.ts'
import { Wakefulness } from '../node/wakefulness.ts'
import { Heartbeats } from './heartbeats.ts'

const RENEW = 10_000
const GRACE = 50_000
/** After an outage a link is back within its longest wait. */
const RECONNECT = 10_000

interface Peer {
  readonly name: string
  readonly isLocal: boolean
  /** When it renews next, in milliseconds of the clock; nothing is heard of it before. */
  next: number
  sign: number
  isDead: boolean
}

/** A desktop with some nodes of its own and some elsewhere, and whom it blames second by second. */
class Desk {
  readonly clock = new FakeClock()
  readonly peers: Peer[]
  readonly #random: Random
  readonly #wakefulness = new Wakefulness(this.clock)
  readonly #heartbeats = new Heartbeats({
    clock: this.clock,
    wakefulness: this.#wakefulness,
    isLocal: (name) => name.startsWith('local'),
  })

  constructor(random: Random, locals: number, remotes: number) {
    this.#random = random
    const peer = (name: string): Peer => {
      const next = this.clock.now() + randomInt(random, RENEW)
      return { name, isLocal: name.startsWith('local'), next, sign: 0, isDead: false }
    }
    this.peers = [
      ...Array.from({ length: locals }, (_, i) => peer(`local-${i}`)),
      ...Array.from({ length: remotes }, (_, i) => peer(`remote-${i}`)),
    ]
    for (const { name } of this.peers) this.#heartbeats.recall(name, { lease: 'stored' })
  }

  /** Names of who is blamed at any time of these seconds. */
  async live(seconds: number, isConnected = true): Promise<Set<string>> {
    const blamed = new Set<string>()
    for (let i = 0; i < seconds; i++) {
      await this.clock.advance(1000)
      this.#wakefulness.check()
      for (const peer of this.peers) this.#hear(peer, isConnected)
      for (const { name } of this.peers) if ((this.#heartbeats.ownSilence(name) ?? 0) > GRACE) blamed.add(name)
    }
    return blamed
  }

  /** Links are made anew after this, each at a time of its own. */
  reconnect(): void {
    for (const peer of this.peers) peer.next = this.clock.now() + randomInt(this.#random, RECONNECT)
  }

  sleep(ms: number): void {
    this.clock.jump(ms)
    this.reconnect()
  }

  #hear(peer: Peer, isConnected: boolean): void {
    const now = this.clock.now()
    if (peer.isDead || now < peer.next || (!isConnected && !peer.isLocal)) return
    peer.next = now + RENEW
    this.#heartbeats.note(peer.name, { lease: String(++peer.sign) })
  }
}

const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1)

describe('whom a desktop blames', () => {
  it.each(SEEDS)('is nobody, however often it sleeps and loses its network (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const desk = new Desk(random, randomInt(random, 3), 1 + randomInt(random, 5))
    const blamed = new Set<string>()
    for (let round = 0; round < 12; round++) {
      for (const name of await desk.live(20 + randomInt(random, 100))) blamed.add(name)
      const isConnected = random.float() < 0.4
      if (!isConnected) for (const name of await desk.live(1 + randomInt(random, 200), false)) blamed.add(name)
      if (random.float() < 0.5) desk.sleep(1000 * randomInt(random, 4 * 3600))
      else desk.reconnect()
    }
    expect([...blamed]).toEqual([])
  })

  it.each(SEEDS)('is who is dead while others are heard over the same way (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const desk = new Desk(random, randomInt(random, 3), 2 + randomInt(random, 4))
    await desk.live(30 + randomInt(random, 30))
    const remotes = desk.peers.filter(({ isLocal }) => !isLocal)
    const victim = remotes[randomInt(random, remotes.length)]
    if (victim) victim.isDead = true
    expect(await desk.live(39)).toEqual(new Set())
    expect(await desk.live(25)).toEqual(new Set([victim?.name]))
  })
})
