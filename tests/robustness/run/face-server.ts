import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import type { Random } from '../../../electron/base/random.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import type { Store } from '../../../electron/store/store.ts'
import { freePort } from '../../store/etcd/member.ts'
import type { FaultyDisk } from '../disk/faulty-disk.ts'
import type { StoreClient } from '../host/host-process.ts'
import { HostedServer } from './hosted-server.ts'
import { type EngineTraits, Gate, type Server } from './server.ts'

/** The embedded engine through its etcd face, and through the remote engine, which outlives the process. */
export class FaceServer implements Server {
  readonly traits: EngineTraits = { keepsCompactedDeletes: true, cutOffMayComeLate: true }
  readonly keepsHistory = false
  readonly #host: HostedServer
  readonly #url: string
  readonly #up = new Gate()
  #store: Store | null = null

  private constructor(host: HostedServer, port: number) {
    this.#host = host
    this.#url = `http://127.0.0.1:${port}`
  }

  static async create(options: { script: string; place: string; random: Random }): Promise<FaceServer> {
    const port = await freePort()
    return new FaceServer(new HostedServer({ ...options, engine: 'face', faultyDisk: true, port }), port)
  }

  get disk(): FaultyDisk | null {
    return this.#host.disk
  }

  get client(): StoreClient {
    if (!this.#store) throw new Error('the store was never started')
    return this.#store
  }

  get log(): string {
    return this.#host.log
  }

  whenUp(): Promise<void> {
    return this.#up.wait()
  }

  async start(): Promise<void> {
    await this.#host.start()
    this.#store ??= await createRemoteStore({ endpoints: [this.#url], clock: systemClock, logger: silentLogger })
    this.#up.open()
  }

  kill(): Promise<void> {
    this.#up.shut()
    return this.#host.kill()
  }

  losePower(): Promise<void> {
    this.#up.shut()
    return this.#host.losePower()
  }

  close(ms?: number): Promise<void> {
    this.#up.shut()
    return this.#host.close(ms)
  }

  pause(): void {
    this.#host.pause()
  }

  resume(): void {
    this.#host.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]()
    await this.#host[Symbol.asyncDispose]()
  }
}
