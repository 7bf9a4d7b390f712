import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import type { Store } from '../../../electron/store/store.ts'
import { EtcdMember, freePort } from '../../store/etcd/member.ts'
import type { StoreClient } from '../host/host-process.ts'
import { type EngineTraits, Gate, type Server } from './server.ts'

/** A real etcd of one member, through the remote engine, which outlives the member's deaths. */
export class EtcdServer implements Server {
  readonly traits: EngineTraits = { keepsCompactedDeletes: false, cutOffMayComeLate: true }
  readonly disk = null
  readonly keepsHistory = false
  readonly log = ''
  readonly #member: EtcdMember
  readonly #up = new Gate()
  #store: Store | null = null

  private constructor(member: EtcdMember) {
    this.#member = member
  }

  static async create(place: string): Promise<EtcdServer> {
    return new EtcdServer(new EtcdMember({ dir: place, port: await freePort(), peerPort: await freePort() }))
  }

  get client(): StoreClient {
    if (!this.#store) throw new Error('the store was never started')
    return this.#store
  }

  whenUp(): Promise<void> {
    return this.#up.wait()
  }

  async start(): Promise<void> {
    await this.#member.start()
    this.#store ??= await createRemoteStore({ endpoints: [this.#member.url], clock: systemClock, logger: silentLogger })
    this.#up.open()
  }

  async kill(): Promise<void> {
    this.#up.shut()
    await this.#member.kill()
  }

  losePower(): Promise<void> {
    return Promise.reject(new Error('the files of etcd cannot be harmed'))
  }

  async close(): Promise<void> {
    await this.kill()
  }

  pause(): void {
    this.#member.signal('SIGSTOP')
  }

  resume(): void {
    this.#member.signal('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]()
    await this.#member.kill()
  }
}
