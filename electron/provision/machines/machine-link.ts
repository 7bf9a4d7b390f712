/** The link of one Machine with what hangs on it: its words in the status, the machine's address, and joining anew. */
import type { Machine } from '../../api/infra/v1alpha1/types.ts'
import type { Condition } from '../../api/meta/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { isConditionTrue, setCondition } from '../../machinery/conditions.ts'
import { Link, type LinkState } from '../link/link.ts'
import type { SshConnection } from '../ssh/connection.ts'
import type { MachineConnection } from '../ssh/endpoint.ts'
import type { MachineContext } from './context.ts'
import { greet } from './greeting.ts'
import { createBootstrapToken, deleteBootstrapToken } from './join.ts'
import { linkedCondition, linkStatus } from './link-status.ts'
import { Rejoin } from './rejoin.ts'
import type { StatusWriter } from './status-writer.ts'

export interface MachineLinkDeps {
  readonly context: MachineContext
  readonly status: StatusWriter
  /** As it is now. */
  readonly machine: () => Machine
  readonly connect: (signal: AbortSignal) => Promise<MachineConnection>
  /** Whether the machine is being set up, which gives its agent a token too. */
  readonly isBusy: () => boolean
  readonly onState: (state: LinkState) => void
}

export class MachineLink implements AsyncDisposable {
  readonly link: Link
  readonly #deps: MachineLinkDeps
  readonly #rejoin: Rejoin
  #conditions: readonly Condition[]
  /** Its agent wants a token, and the link is about to be up. */
  #wants = false
  #disposed = false

  /** Begins to connect. */
  constructor(deps: MachineLinkDeps) {
    this.#deps = deps
    const { metadata, status } = deps.machine()
    const { client, nodes, clock, random, apiPort, logger } = deps.context
    const { name } = metadata
    const common = { clock, logger: logger.child({ machine: name }) }
    this.#conditions = status.conditions ?? []
    this.link = new Link({
      ...{ ...common, random, apiPort },
      connect: deps.connect,
      prepare: (connection, signal) => this.#prepare(connection, signal),
    })
    this.link.onChange((state) => this.#onChange(state))
    this.#rejoin = new Rejoin({
      ...common,
      createToken: () => createBootstrapToken(client, name, { clock, random }),
      deleteToken: (token) => deleteBootstrapToken(client, token),
      connection: () => (this.link.link.connected ? this.link.connection : null),
      isReady: () => isConditionTrue(nodes.get(undefined, name)?.status.conditions, 'Ready'),
    })
    void this.#rejoin.start()
    void this.link.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.#rejoin[Symbol.asyncDispose]()
    await this.link[Symbol.asyncDispose]()
  }

  async #prepare(connection: SshConnection, signal: AbortSignal): Promise<void> {
    const { machine, status, isBusy } = this.#deps
    const isFree = machine().spec.nodeIP === undefined
    const { address, wantsToken } = await greet(connection, isFree, signal)
    if (address !== null && isFree) status.set({ address })
    this.#wants = wantsToken && !isBusy()
  }

  #onChange(state: LinkState): void {
    if (this.#disposed) return
    const { context, status, onState } = this.#deps
    this.#conditions = setCondition(this.#conditions, linkedCondition(state), formatTime(context.clock.now()))
    status.set({ link: linkStatus(state), conditions: [...this.#conditions] })
    if (state.connected && this.#wants) this.#rejoin.begin()
    onState(state)
  }
}
