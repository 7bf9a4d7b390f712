import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../../electron/base/clock.ts'
import { FakeClock } from '../../../electron/base/fake-clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { createEtcdFace } from '../../../electron/store/etcd/etcd-face.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import type { Store } from '../../../electron/store/store.ts'
import { storeSuite } from '../../../electron/store/testing/suite.ts'

const real = { clock: systemClock, logger: silentLogger }
const IDENTITY = { clusterId: 1n, memberId: 2n, name: 'face' }

/** The whole way round: the engine that is a client of etcd, on a face that is a server for its clients, on a store. */
class RoundTrip {
  /** Of leases and of progress marks; the network between has its own time. */
  readonly #clock = new FakeClock()
  readonly #open: (clock: Clock) => Promise<Store>
  #closing = new AsyncDisposableStack()
  #store: Store | null = null
  #port = 0

  constructor(open: (clock: Clock) => Promise<Store>) {
    this.#open = open
  }

  async open(): Promise<Store> {
    const store = this.#closing.use(await this.#open(this.#clock))
    const face = this.#closing.use(createEtcdFace({ ...real, store, listen: { port: this.#port }, tls: null, identity: IDENTITY }))
    await face.start()
    this.#port = Number(new URL(face.url).port)
    const clock: Clock = { ...systemClock, setInterval: (fn, ms) => this.#clock.setInterval(fn, ms) }
    this.#store = this.#closing.use(await createRemoteStore({ ...real, clock, endpoints: [face.url] }))
    return this.#store
  }

  /** A lease that expires is gone when its deletion is durable, which listing waits for. */
  async pass(ms: number): Promise<void> {
    await this.#clock.advance(ms)
    await this.#store?.lease.list()
  }

  async close(): Promise<void> {
    await this.#closing.disposeAsync()
    this.#closing = new AsyncDisposableStack()
  }
}

const OPTIONS = { runs: 10, traits: { inOrder: false, keepsCompactedDeletes: true } }

storeSuite(
  'remote on the face of a memory',
  async () => {
    const trip = new RoundTrip((clock) => Promise.resolve(createMemoryStore({ clock, logger: silentLogger })))
    return { store: await trip.open(), pass: (ms) => trip.pass(ms), close: () => trip.close() }
  },
  OPTIONS,
)

storeSuite(
  'remote on the face of an embedded',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'store-face-'))
    const trip = new RoundTrip((clock) => createEmbeddedStore({ clock, logger: silentLogger, dir }))
    return {
      store: await trip.open(),
      pass: (ms) => trip.pass(ms),
      reopen: async () => {
        await trip.close()
        return await trip.open()
      },
      close: async () => {
        await trip.close()
        rmSync(dir, { recursive: true })
      },
    }
  },
  OPTIONS,
)
