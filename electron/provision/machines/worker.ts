/** One machine: its run of the provisioner, its link, its removal. Follows the Machine object and writes its status. */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine, MachinePhase } from '../../api/infra/v1alpha1/types.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { hasReason } from '../../machinery/status.ts'
import { LINK_KEEPALIVE, type Link, type LinkState } from '../link/link.ts'
import { VirtualWorker } from '../qemu/virtual-worker.ts'
import type { SshConnection } from '../ssh/connection.ts'
import { connectEndpoint, type Credentials, type Endpoint, type MachineConnection } from '../ssh/endpoint.ts'
import { loadKey } from '../ssh/keys.ts'
import { ownerText } from '../steps/configure.ts'
import { provision } from '../steps/provision.ts'
import { removeFrom } from '../steps/remove.ts'
import { runSteps, StepError, type Step } from '../steps/step.ts'
import type { MachineContext } from './context.ts'
import { MachineLink } from './machine-link.ts'
import { createBootstrapToken, deleteBootstrapToken, deleteNode, untilNodeReady } from './join.ts'
import { StatusWriter } from './status-writer.ts'

/** Keeps a Machine until the machine is clean. */
export const FINALIZER = 'infra.flotilla.dev/machine'
/** "true": the object may go although the machine could not be cleaned. */
export const FORGET = 'infra.flotilla.dev/forget'
/** How long a link may be down before the machine counts as unreachable. */
const UNREACHABLE_AFTER_MS = 10_000

interface Task {
  readonly kind: 'provision' | 'remove'
  readonly abort: AbortController
  readonly done: Promise<void>
}

export class MachineWorker implements AsyncDisposable {
  readonly name: string
  readonly uid: string
  readonly #context: MachineContext
  readonly #status: StatusWriter
  #machine: Machine
  #task: Task | null = null
  /** What makes and runs it, if it is a virtual machine. */
  readonly #virtual: VirtualWorker | null
  #link: MachineLink | null = null
  #phase: MachinePhase | undefined
  #credentials: Credentials | null = null
  /** Whether this process has decided what to do with what it found. */
  #begun = false
  #forget = false
  #unreachable: Disposable | null = null
  #stopped = false

  constructor(machine: Machine, context: MachineContext) {
    this.name = machine.metadata.name
    this.uid = machine.metadata.uid
    this.#machine = machine
    this.#phase = machine.status.phase
    this.#context = context
    const { client, kind, clock, logger } = context
    this.#status = new StatusWriter({ client, kind, name: this.name, clock, logger })
    this.#virtual = machine.spec.provider === 'qemu' ? this.#virtualWorker() : null
  }

  get link(): Link | null {
    return this.#link?.link ?? null
  }

  /** The object as it is now. Decides what to do when there is something new to do. */
  observe(machine: Machine): void {
    const isElsewhere = JSON.stringify(machine.spec.ssh) !== JSON.stringify(this.#machine.spec.ssh)
    this.#machine = machine
    if (this.#stopped) return
    if (isElsewhere) this.link?.renew()
    if (machine.metadata.deletionTimestamp) {
      const forget = machine.metadata.annotations?.[FORGET] === 'true'
      if (!this.#begun || this.#phase !== 'Removing' || (forget && !this.#forget)) this.#begin('remove')
      this.#forget = forget
    } else if (!machine.metadata.finalizers?.includes(FINALIZER)) void this.#addFinalizer()
    else if (!this.#begun) {
      const phase = this.#phase ?? 'Pending'
      const isOff = this.#virtual?.wanted === false && phase !== 'Pending' && phase !== 'Provisioning'
      if (isOff) this.#begun = true
      else if (machine.status.link || phase === 'Ready' || phase === 'Unreachable') this.#openLink()
      if (phase === 'Pending' || phase === 'Provisioning') this.#begin('provision')
    }
    if (!machine.metadata.deletionTimestamp) this.#virtual?.reconcile()
  }

  /** Uses these for the next run only. */
  useOnce(credentials: Credentials): void {
    this.#credentials = credentials
  }

  /** Begins anew; what runs is ended first. */
  retry(): void {
    this.#begin(this.#machine.metadata.deletionTimestamp ? 'remove' : 'provision')
  }

  /** Ends what runs and waits until it has cleared up. */
  async cancel(): Promise<void> {
    const task = this.#task
    if (!task) return
    task.abort.abort(new DOMException('cancelled', 'AbortError'))
    await task.done
  }

  /** A connection for a shell or an import: the link's own, else one that is made with the cluster's key and ends when it is disposed. */
  async connection(signal: AbortSignal): Promise<{ connection: SshConnection } & AsyncDisposable> {
    if (this.link?.link.connected) return { connection: this.link.connection, [Symbol.asyncDispose]: () => Promise.resolve() }
    const { connection } = await this.#connect(null, signal)
    return { connection, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#unreachable?.[Symbol.dispose]()
    // A run that the end of the program cuts short is taken up again at the next start: its phase stays as it is.
    this.#status.stop()
    await this.cancel()
    await this.#virtual?.[Symbol.asyncDispose]()
    await this.#link?.[Symbol.asyncDispose]()
  }

  #begin(kind: Task['kind']): void {
    this.#begun = true
    const before = this.#task
    const abort = new AbortController()
    const run = async () => {
      if (before) {
        before.abort.abort(new DOMException('begun anew', 'AbortError'))
        await before.done
      }
      if (this.#stopped) return
      try {
        await (kind === 'provision' ? this.#provision(abort.signal) : this.#remove(abort.signal))
      } catch (error) {
        this.#context.logger.error('a machine could not be worked on', { machine: this.name, error })
      } finally {
        if (this.#task === task) this.#task = null
        if (kind === 'provision') this.#virtual?.reconcile()
      }
    }
    const task: Task = { kind, abort, done: run() }
    this.#task = task
  }

  async #provision(signal: AbortSignal): Promise<void> {
    const { context, name } = { context: this.#context, name: this.name }
    const { clock, random, logger, cluster, clusterKey, programs, localFiles, units } = context
    const credentials = this.#credentials
    this.#credentials = null
    const { spec } = this.#machine
    this.#setPhase('Provisioning', { failure: null })
    const begun = clock.now()
    const tokens: string[] = []
    const { memoryBytes } = spec.sandbox ?? {}
    const machine = () => this.#machine
    try {
      using _ = await context.runs.take(signal).catch(() => {
        throw new StepError('connect', stoppedWaiting())
      })
      await provision(
        {
          name,
          sudoPassword: credentials?.sudoPassword ?? credentials?.password,
          // Where the machine is made, its first step fills this in.
          get nodeIP() {
            return machine().spec.nodeIP
          },
          installRuntime: spec.installRuntime,
          labels: spec.labels,
          ...(spec.provider === 'sandbox' && memoryBytes !== undefined ? { memoryLimitBytes: memoryBytes } : {}),
        },
        {
          ...{ clock, random, logger, cluster, clusterKey, programs, localFiles, units },
          connect: (aborting) => this.#connect(credentials, aborting),
          connectWithOwnKey: (aborting) => this.#connect({ useAgent: false }, aborting),
          onTouch: () => this.#markTouched(),
          bootstrapToken: async () => {
            const token = await createBootstrapToken(context.client, name, { clock, random })
            tokens.push(token)
            return token
          },
          openLink: async (aborting) => {
            this.#openLink()
            this.link?.poke()
            await this.link?.whenConnected(aborting)
          },
          untilNodeReady: (tools) => untilNodeReady(context.nodes, name, { ...tools, clock, since: begun }),
        },
        {
          onSteps: (steps) => this.#status.set({ steps: [...steps] }),
          onPreflight: (checks) => this.#status.set({ preflight: [...checks] }),
          onFacts: (facts) => this.#status.set(facts),
          onEnd: ({ sent, received, milliseconds }) => {
            const finishedAt = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
            this.#status.set({ setup: { finishedAt, milliseconds, sentBytes: sent, receivedBytes: received } })
          },
        },
        { signal, before: this.#providerSteps() },
      )
      this.#setPhase('Ready', { failure: null, agentVersion: context.version })
    } catch (error) {
      if (this.#stopped) return
      if (!(error instanceof StepError)) throw error
      logger.warn('a machine could not be set up', { machine: name, step: error.step, code: error.cause.code, why: error.cause.why })
      this.#setPhase('Failed', { failure: error.failure })
    } finally {
      for (const token of tokens) await deleteBootstrapToken(context.client, token).catch(() => undefined)
      await this.#status.flush()
    }
  }

  #providerSteps(): Step[] {
    if (this.#virtual) return [this.#virtual.step()]
    return this.#machine.spec.provider === 'sandbox' ? [this.#sandboxStep()] : []
  }

  #virtualWorker(): VirtualWorker {
    const { client, kind, virtual, images, clock, logger } = this.#context
    return new VirtualWorker(
      {
        machine: () => this.#machine,
        phase: () => this.#phase,
        busy: () => this.#task !== null,
        patchSpec: async (spec) => {
          this.#machine = await client.patch(kind, { name: this.name }, { type: 'merge', body: { spec } })
        },
        setStatus: (change) => this.#status.set(change),
        setPhase: (phase, more) => this.#setPhase(phase, more),
        openLink: () => this.#openLink(),
        closeLink: () => this.#closeLink(),
        connection: () => (this.link?.link.connected ? this.link.connection : null),
      },
      { machines: virtual, images, clock, logger },
    )
  }

  /** This computer slept: a guest's clock did too. */
  async settleClock(): Promise<void> {
    const link = this.link
    if (this.#virtual && link?.link.connected) await this.#virtual.setClock(link.connection)
  }

  #sandboxStep(): Step {
    return {
      name: 'sandbox',
      title: 'Make the machine',
      run: async ({ signal, detail }) => {
        const { memoryBytes } = this.#machine.spec.sandbox ?? {}
        const made = await this.#context.sandboxes.create(this.name, { signal, ...(memoryBytes === undefined ? {} : { memoryBytes }) })
        const ssh = { host: made.address, port: 22, user: 'root', hostKey: made.hostKey, auth: 'key' as const }
        const { client, kind } = this.#context
        this.#machine = await client.patch(kind, { name: this.name }, { type: 'merge', body: { spec: { ssh } } })
        detail(`${made.address} on this computer`)
      },
    }
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { client, kind, sandboxes, clock, logger, environment } = this.#context
    const credentials = this.#credentials
    this.#credentials = null
    this.#setPhase('Removing', { failure: null })
    const { spec } = this.#machine
    const forget = this.#machine.metadata.annotations?.[FORGET] === 'true'
    const virtual = this.#virtual
    const clean: Step = virtual
      ? { name: 'machine', title: 'Remove the machine', run: () => this.#closeLink().then(() => virtual.remove()) }
      : spec.provider === 'sandbox'
        ? { name: 'sandbox', title: 'Remove the machine', run: () => this.#closeLink().then(() => sandboxes.remove(this.name)) }
        : { name: 'clean', title: 'Clean the machine', run: (tools) => this.#clean(credentials, forget, tools) }
    const steps: Step[] = [
      clean,
      {
        name: 'forget',
        title: 'Take it out of the cluster',
        run: async () => {
          await this.#closeLink()
          await deleteNode(client, this.name)
          if (spec.ssh && spec.provider === 'ssh') await environment.knownHosts.forget(spec.ssh.host, spec.ssh.port)
          await rm(this.#touchedFile, { force: true })
        },
      },
    ]
    try {
      await runSteps(steps, { clock, logger, signal, onChange: (rows) => this.#status.set({ steps: [...rows] }) })
    } catch (error) {
      if (this.#stopped || !(error instanceof StepError)) throw error
      logger.warn('a machine could not be removed', { machine: this.name, code: error.cause.code, why: error.cause.why })
      this.#status.set({ failure: error.failure })
      await this.#status.flush()
      return
    }
    await this.#status.flush()
    this.#status.stop()
    const finalizers = (this.#machine.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER)
    await client
      .patch(kind, { name: this.name }, { type: 'merge', body: { metadata: { finalizers } } })
      .catch((error: unknown) => void (hasReason(error, 'NotFound') || Promise.reject(error)))
  }

  /** Over SSH; with `forget`, as far as it goes. */
  async #clean(credentials: Credentials | null, forget: boolean, { signal, detail }: Parameters<Step['run']>[0]): Promise<void> {
    const { clock, clusterKey, units, agentTls, cluster } = this.#context
    if (!(await this.#isTouched())) return detail('nothing was changed on it')
    await this.#closeLink()
    try {
      const { connection, via } = await this.#connect(credentials, signal)
      await using _ = connection
      const tls = await agentTls?.()
      const lastBehindJump = !this.#othersUseJump()
      await removeFrom(connection, lastBehindJump ? via : null, {
        name: this.name,
        owner: ownerText(cluster, this.name),
        clock,
        signal,
        clusterKey,
        ...(tls ? { tls } : {}),
        sudoPassword: credentials?.sudoPassword ?? credentials?.password,
        uninstallScript: units.uninstall,
        detail,
      })
      detail('nothing of Flotilla is left on it')
    } catch (error) {
      if (!forget || signal.aborted) throw error
      detail(`left as it is: ${error instanceof FlotillaError ? error.why : messageOf(error)}`)
    }
  }

  #othersUseJump(): boolean {
    const own = this.#machine.spec.ssh?.jump
    return (
      own !== undefined &&
      this.#context.machines.list().some(({ metadata, spec }) => {
        const jump = spec.ssh?.jump
        return metadata.name !== this.name && jump?.host === own.host && jump.port === own.port && jump.user === own.user
      })
    )
  }

  /** Signs in with what was given for this run, else with what the object says and the cluster's own key. */
  async #connect(given: Credentials | null, signal: AbortSignal, keepAlive?: typeof LINK_KEEPALIVE): Promise<MachineConnection> {
    const { environment, clusterKey } = this.#context
    const { ssh } = this.#machine.spec
    if (!ssh)
      throw new FlotillaError('INVALID_INPUT', {
        what: `The machine ${this.name} has no address.`,
        why: 'Its spec has no "ssh".',
        next: 'Fill in spec.ssh, or remove it and add it again.',
      })
    const endpoint: Endpoint = { host: ssh.host, port: ssh.port, user: ssh.user, hostKey: ssh.hostKey, jump: ssh.jump }
    const credentials = given ?? (await this.#lastingCredentials())
    return await connectEndpoint(endpoint, { environment, credentials, ownKey: clusterKey, signal, ...(keepAlive ? { keepAlive } : {}) })
  }

  /** What can be used without asking anyone, beside the cluster's key. */
  async #lastingCredentials(): Promise<Credentials> {
    const { ssh, provider } = this.#machine.spec
    const { environment } = this.#context
    const ownKeyOnly = { useAgent: false }
    if (provider !== 'ssh' || !ssh || ssh.auth === 'password') return ownKeyOnly
    if (ssh.auth === 'agent') return environment.agentSocket === undefined ? ownKeyOnly : { useAgent: true }
    if (ssh.keyFile === undefined) return {}
    const file = ssh.keyFile.replace(/^~(?=\/)/, environment.home)
    const usable = await loadKey(file).then(
      () => true,
      () => false,
    )
    return usable ? { keyFile: file } : ownKeyOnly
  }

  #openLink(): void {
    this.#begun = true
    if (this.#link || this.#stopped) return
    this.#link = new MachineLink({
      context: this.#context,
      status: this.#status,
      machine: () => this.#machine,
      connect: async (signal) => {
        // One that this computer's restart has ended comes up again here.
        if (this.#machine.spec.provider === 'sandbox') await this.#context.sandboxes.start(this.name, signal)
        await this.#virtual?.ensureRunning(signal)
        const made = await this.#connect(null, signal, LINK_KEEPALIVE)
        await this.#virtual?.setClock(made.connection, signal)
        return made
      },
      isBusy: () => this.#task !== null,
      onState: (state) => this.#onLink(state),
    })
  }

  async #closeLink(): Promise<void> {
    const link = this.#link
    this.#link = null
    this.#unreachable?.[Symbol.dispose]()
    this.#unreachable = null
    await link?.[Symbol.asyncDispose]()
  }

  #onLink({ connected, since }: LinkState): void {
    if (this.#stopped || !this.#link) return
    const { clock } = this.#context
    if (connected) {
      this.#unreachable?.[Symbol.dispose]()
      this.#unreachable = null
      if (this.#phase === 'Unreachable') this.#setPhase('Ready')
    } else if (this.#phase === 'Ready')
      this.#unreachable ??= clock.setTimeout(
        () => {
          this.#unreachable = null
          if (this.#phase === 'Ready') this.#setPhase('Unreachable')
        },
        Math.max(0, since + UNREACHABLE_AFTER_MS - clock.now()),
      )
  }

  #setPhase(phase: MachinePhase, more: Parameters<StatusWriter['set']>[0] = {}): void {
    this.#phase = phase
    this.#status.set({ phase, ...more })
  }

  async #addFinalizer(): Promise<void> {
    const { client, kind, logger } = this.#context
    const { finalizers = [], resourceVersion } = this.#machine.metadata
    const body = { metadata: { finalizers: [...finalizers, FINALIZER], resourceVersion } }
    try {
      await client.patch(kind, { name: this.name }, { type: 'merge', body })
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Conflict')) logger.error('a machine could not be claimed', { machine: this.name, error })
    }
  }

  get #touchedFile(): string {
    return join(this.#context.dir, `${this.uid}.touched`)
  }

  /** Notes that the machine is about to be changed: from then on its removal must clean it. */
  async #markTouched(): Promise<void> {
    await mkdir(this.#context.dir, { recursive: true, mode: 0o700 })
    await writeFile(this.#touchedFile, `${this.name}\n`)
  }

  async #isTouched(): Promise<boolean> {
    return await stat(this.#touchedFile).then(
      () => true,
      () => false,
    )
  }
}

function stoppedWaiting(): FlotillaError {
  return new FlotillaError('CANCELLED', {
    what: 'The set-up was cancelled.',
    why: 'It was stopped on request while it waited for others to end.',
    next: 'Go on with Retry.',
  })
}
