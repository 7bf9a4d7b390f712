/** Writes the status of one machine: the newest state, at most a few times a second, and in order. */
import type { Kind } from '../../api/kind.ts'
import type { Machine, MachineStatus } from '../../api/infra/v1alpha1/types.ts'
import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import type { LinkChange } from './link-status.ts'

/** A field that is null is taken away. */
export type StatusChange = { [K in Exclude<keyof MachineStatus, 'link'>]?: MachineStatus[K] | null } & { link?: LinkChange }

const PAUSE_MS = 300
const RETRY_MS = 1000

export class StatusWriter {
  readonly #client: Client
  readonly #kind: Kind<Machine>
  readonly #name: string
  readonly #clock: Clock
  readonly #logger: Logger
  #pending: StatusChange | null = null
  #running: Promise<void> | null = null
  #stopped = false

  constructor(options: { client: Client; kind: Kind<Machine>; name: string; clock: Clock; logger: Logger }) {
    this.#client = options.client
    this.#kind = options.kind
    this.#name = options.name
    this.#clock = options.clock
    this.#logger = options.logger
  }

  /** Merges into what is to be written. */
  set(change: StatusChange): void {
    if (this.#stopped) return
    this.#pending = { ...this.#pending, ...change }
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  /** Resolves when everything that was set before is written, or cannot be because the machine is gone. */
  async flush(): Promise<void> {
    await this.#running
  }

  /** Writes no more. */
  stop(): void {
    this.#stopped = true
    this.#pending = null
  }

  async #run(): Promise<void> {
    while (this.#pending) {
      const body = { status: this.#pending }
      this.#pending = null
      try {
        await this.#client.patch(this.#kind, { name: this.#name }, { type: 'merge', body }, { subresource: 'status' })
        if (this.#pending) await sleep(this.#clock, PAUSE_MS)
      } catch (error) {
        if (hasReason(error, 'NotFound')) return this.stop()
        this.#logger.warn('the status of a machine was not written', { machine: this.#name, error })
        this.#pending = { ...body.status, ...(this.#pending as StatusChange | null) }
        await sleep(this.#clock, RETRY_MS)
      }
    }
  }
}
