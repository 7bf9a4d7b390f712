import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { deadline, systemClock } from '../../../electron/base/clock.ts'
import { aborted } from '../../../electron/base/async.ts'
import type { Random } from '../../../electron/base/random.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'
import { HostProcess, type StoreClient } from '../host/host-process.ts'
import { type EngineTraits, Gate, type Server } from './server.ts'

/** How long opening may take, in milliseconds: many times what it takes on a busy computer. */
const OPENING = 60_000

export interface HostedServerOptions {
  readonly script: string
  readonly engine: string
  readonly place: string
  readonly random: Random
  readonly faultyDisk: boolean
  /** Of the face, if the engine has one. */
  readonly port?: number
}

/** An engine of ours in a process of its own. */
export class HostedServer implements Server {
  readonly traits: EngineTraits = { keepsCompactedDeletes: true, cutOffMayComeLate: false }
  readonly disk: FaultyDisk | null
  readonly keepsHistory: boolean
  readonly #script: string
  readonly #engine: string
  readonly #dir: string
  readonly #port: number
  readonly #up = new Gate()
  #process: HostProcess | null = null
  #log = ''

  /** Its files go below `place`, onto a faulty disk if there is one to be. */
  constructor(options: HostedServerOptions) {
    this.#script = options.script
    this.#engine = options.engine
    this.keepsHistory = options.engine.startsWith('embedded')
    this.#port = options.port ?? 0
    this.disk = options.faultyDisk ? new FaultyDisk(options.place, options.random) : null
    this.#dir = this.disk?.dir ?? join(options.place, 'state')
    mkdirSync(this.#dir, { recursive: true })
  }

  get client(): StoreClient {
    if (!this.#process) throw new Error('the store was never started')
    return this.#process.client
  }

  get log(): string {
    return `${this.#log}${this.#process?.log ?? ''}`.slice(-8000)
  }

  whenUp(): Promise<void> {
    return this.#up.wait()
  }

  async start(): Promise<void> {
    this.#log = this.log
    const host = new HostProcess({
      script: this.#script,
      engine: this.#engine,
      dir: this.#dir,
      port: this.#port,
      env: this.disk?.env() ?? {},
    })
    this.#process = host
    using timer = deadline(systemClock, OPENING)
    await Promise.race([host.opened, aborted(timer.signal)])
    this.#up.open()
  }

  async kill(): Promise<void> {
    this.#up.shut()
    await this.#process?.kill()
    this.disk?.processEnded()
  }

  async losePower(): Promise<void> {
    await this.kill()
    this.disk?.losePower()
  }

  async close(ms = OPENING): Promise<void> {
    const host = this.#process
    if (!host) return
    this.#up.shut()
    host.close()
    using timer = deadline(systemClock, ms)
    timer.signal.addEventListener('abort', () => host.signal('SIGKILL'), { once: true })
    await host.exited
    this.disk?.processEnded()
  }

  pause(): void {
    this.#process?.signal('SIGSTOP')
  }

  resume(): void {
    this.#process?.signal('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.kill()
    this.disk?.[Symbol.dispose]()
  }
}
