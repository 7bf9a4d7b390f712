/** From an SSH endpoint to a node: the steps, and what they need of the rest. The same for every machine. */
import type { MachineStep, PreflightCheck } from '../../api/infra/v1alpha1/types.ts'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import { loadBaseImages } from '../images/base-images.ts'
import type { Architecture } from '../images/elf.ts'
import { LAYOUT } from '../layout.ts'
import type { Requirement } from '../packages.ts'
import type { SshConnection, Traffic } from '../ssh/connection.ts'
import type { MachineConnection } from '../ssh/endpoint.ts'
import { fingerprint } from '../ssh/host-key.ts'
import type { PrivateKey } from '../ssh/keys.ts'
import { rootShell, userShell } from '../ssh/sudo.ts'
import { Throughput } from '../ssh/transfer.ts'
import { configFiles, configure, nodeAddress, ownerText, type ClusterInfo, type UnitFiles } from './configure.ts'
import { gatherFacts } from './facts.ts'
import { tryForwarding } from './forwarding.ts'
import { installPackages } from './install-packages.ts'
import { installKey, keyNotAccepted, removeKey } from './key.ts'
import { preflight, preflightError } from './preflight.ts'
import { copyProgram, requireRuntime, type LocalFiles } from './runtime.ts'
import { lastWords, startServices } from './services.ts'
import { runSteps, type Step, type StepTools } from './step.ts'
import type { Target } from './target.ts'

/** What to make of which machine. */
export interface ProvisionRequest {
  /** Of the Machine and of its Node. */
  readonly name: string
  readonly sudoPassword?: string | undefined
  readonly nodeIP?: string | undefined
  readonly installRuntime?: boolean | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** For a machine whose memory a control group limits. */
  readonly memoryLimitBytes?: number | undefined
}

/** Local files that are copied. */
export interface Programs {
  readonly agent: string
  /** The Node binary for an architecture; null if this build has none. */
  runtime(architecture: Architecture): string | null
}

export interface ProvisionDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly cluster: ClusterInfo
  readonly clusterKey: PrivateKey
  readonly programs: Programs
  readonly units: UnitFiles
  readonly localFiles: LocalFiles
  /** Signs in with what was given for this run. */
  connect(signal: AbortSignal): Promise<MachineConnection>
  /** Signs in with the cluster's key alone, to see that it is taken. */
  readonly connectWithOwnKey: (signal: AbortSignal) => Promise<MachineConnection>
  /** Called before anything on the machine is changed, each time that a step does so first. */
  readonly onTouch: () => Promise<void>
  /** "id.secret", fresh. */
  readonly bootstrapToken: () => Promise<string>
  /** Opens the lasting link, through which the agent reaches the API server; resolves when it is up. */
  openLink(signal: AbortSignal): Promise<void>
  /** Resolves when the Node is Ready; rejects with JOIN_TIMEOUT, to which `agentLog` adds what the agent printed last. */
  untilNodeReady(tools: { signal: AbortSignal; detail(text: string): void; agentLog(): Promise<string> }): Promise<void>
}

export interface ProvisionObserver {
  onSteps(steps: readonly MachineStep[]): void
  onPreflight(checks: readonly PreflightCheck[]): void
  /** What the machine is, as soon as it is known. */
  onFacts(facts: { address: string; operatingSystem: string; architecture: Architecture }): void
  /** Once, at the end: how long it took and what went over the network for it. */
  onEnd?(cost: Traffic & { readonly milliseconds: number }): void
}

/**
 * Runs all steps, those of the provider first. Each looks before it acts, so that a run after a failed one goes on where that
 * stopped. Throws StepError.
 */
export async function provision(
  request: ProvisionRequest,
  deps: ProvisionDeps,
  observer: ProvisionObserver,
  options: { signal: AbortSignal; before?: readonly Step[] },
): Promise<void> {
  const begun = deps.clock.monotonic()
  await using run = new ProvisionRun(request, deps, observer)
  try {
    await runSteps([...(options.before ?? []), ...run.steps()], {
      clock: deps.clock,
      logger: deps.logger,
      signal: options.signal,
      onChange: (steps) => observer.onSteps(steps),
    })
  } finally {
    observer.onEnd?.({ ...run.traffic, milliseconds: Math.round(deps.clock.monotonic() - begun) })
  }
}

/** Signs in and looks, changing nothing. */
export async function inspect(
  name: string,
  machine: MachineConnection,
  options: {
    clock: Clock
    random: Random
    sudoPassword?: string | undefined
    installRuntime: boolean
    owner: string
    nodeIP?: string | undefined
    signal: AbortSignal
  },
): Promise<{ target: Target; checks: readonly PreflightCheck[]; missing: readonly Requirement[]; error: FlotillaError | null }> {
  const { clock, signal } = options
  const { connection } = machine
  const root = await rootShell(connection, options.sudoPassword, signal)
  const user = userShell(connection)
  const { stdout: sshConnection } = await user.exec('echo "$SSH_CONNECTION"', { signal, timeoutMs: 90_000 })
  const before = clock.now()
  const asked = gatherFacts(root, sshConnection, signal).then((found) => ({ found, after: clock.now() }))
  const [{ found: facts, after }, forwarding] = await Promise.all([asked, tryForwarding(connection, signal)])
  const result = preflight({
    facts,
    root: root.mode,
    installRuntime: options.installRuntime,
    owner: options.owner,
    nodeIP: nodeAddress(facts, options.nodeIP),
    clock: { before, after },
    forwarding,
  })
  const target = {
    name,
    connection,
    root,
    user,
    facts,
    throughput: new Throughput(clock),
    clock,
    random: options.random,
  }
  return { target, ...result, error: preflightError(name, result, facts) }
}

class ProvisionRun implements AsyncDisposable {
  readonly #request: ProvisionRequest
  readonly #deps: ProvisionDeps
  readonly #observer: ProvisionObserver
  readonly #connections: SshConnection[] = []
  #machine: MachineConnection | null = null
  #inspected: { target: Target; missing: readonly Requirement[] } | null = null

  constructor(request: ProvisionRequest, deps: ProvisionDeps, observer: ProvisionObserver) {
    this.#request = request
    this.#deps = deps
    this.#observer = observer
  }

  steps(): Step[] {
    const { programs, localFiles } = this.#deps
    return [
      {
        name: 'connect',
        title: 'Connect',
        run: async ({ signal, detail }) => {
          this.#machine = await this.#deps.connect(signal)
          this.#connections.push(this.#machine.connection)
          const { user, host, hostKey } = this.#machine.connection
          detail(`signed in as ${user} on ${host}, key ${fingerprint(hostKey)}`)
        },
      },
      { name: 'preflight', title: 'Check the machine', run: ({ signal, detail }) => this.#check(signal, detail) },
      ...(this.#request.installRuntime ? [this.#packages()] : []),
      { name: 'key', title: "Install Flotilla's key", run: (tools) => this.#key(tools) },
      {
        name: 'runtime',
        title: 'Copy the runtime',
        run: async (tools) => {
          const target = this.#target
          const from = this.#runtime(target)
          await copyProgram(target, localFiles, from, LAYOUT.node, 0o755, target.facts.runtimeSha256, tools)
          await requireRuntime(target, tools.signal)
        },
      },
      {
        name: 'agent',
        title: 'Copy the agent',
        run: (tools) => copyProgram(this.#target, localFiles, programs.agent, LAYOUT.agent, 0o644, this.#target.facts.agentSha256, tools),
      },
      { name: 'configure', title: 'Write the configuration', run: (tools) => this.#configure(tools) },
      { name: 'start', title: 'Start the services', run: (tools) => startServices(this.#target, tools) },
      { name: 'images', title: 'Load base images', run: (tools) => this.#images(tools) },
      { name: 'link', title: 'Link to the control plane', run: ({ signal }) => this.#deps.openLink(signal) },
      { name: 'join', title: 'Join the cluster', run: (tools) => this.#join(tools) },
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine?.connection[Symbol.asyncDispose]()
  }

  /** Of all connections of this run. */
  get traffic(): Traffic {
    const all = this.#connections.map(({ traffic }) => traffic)
    return { sent: all.reduce((sum, { sent }) => sum + sent, 0), received: all.reduce((sum, { received }) => sum + received, 0) }
  }

  get #target(): Target {
    if (!this.#inspected) throw new Error('the machine was not looked at')
    return this.#inspected.target
  }

  async #check(signal: AbortSignal, detail: (text: string) => void, installed = false): Promise<void> {
    if (!this.#machine) throw new Error('there is no connection')
    const { name, nodeIP } = this.#request
    const { clock, random, cluster } = this.#deps
    const found = await inspect(name, this.#machine, {
      clock,
      random,
      sudoPassword: this.#request.sudoPassword,
      installRuntime: (this.#request.installRuntime ?? false) && !installed,
      owner: ownerText(cluster, name),
      nodeIP,
      signal,
    })
    this.#observer.onPreflight(found.checks)
    this.#inspected = found
    const { facts } = found.target
    if (facts.architecture)
      this.#observer.onFacts({ address: nodeAddress(facts, nodeIP), operatingSystem: facts.osName, architecture: facts.architecture })
    if (found.error) throw found.error
    this.#packAhead(found.target)
    const warnings = found.checks.filter((check) => check.state === 'warn').length
    detail(`${facts.osName}, ${found.checks.length} checks passed${warnings ? `, ${warnings} with a warning` : ''}`)
  }

  /** Begins with what takes this computer longest while the machine is asked for other things. A failure is told by the step itself. */
  #packAhead({ facts }: Target): void {
    const { programs, localFiles } = this.#deps
    const path = facts.architecture && facts.runtimeSha256 === null ? programs.runtime(facts.architecture) : null
    const packer = facts.zstd ? 'zstd' : facts.gzip ? 'gzip' : null
    if (path !== null && packer) localFiles.pack(path, packer).catch(() => undefined)
  }

  #packages(): Step {
    return {
      name: 'packages',
      title: 'Install what runs containers',
      run: async (tools) => {
        const missing = this.#inspected?.missing ?? []
        await this.#deps.onTouch()
        await installPackages(this.#target, missing, tools)
        if (missing.length) await this.#check(tools.signal, () => undefined, true)
      },
    }
  }

  async #key({ signal, detail, undo }: StepTools): Promise<void> {
    const { clusterKey, cluster, connectWithOwnKey, onTouch } = this.#deps
    await onTouch()
    const { user, connection } = this.#target
    const added = await installKey(user, clusterKey.publicText, cluster.id, signal)
    if (added) undo((undoing) => removeKey(user, clusterKey.publicText, undoing))
    const via = this.#machine?.via
    const jump = via && (await installKey(userShell(via), clusterKey.publicText, cluster.id, signal).catch(() => null))
    try {
      const again = await connectWithOwnKey(signal)
      this.#connections.push(again.connection)
      await again.connection[Symbol.asyncDispose]()
    } catch (error) {
      if (error instanceof FlotillaError && error.code === 'SSH_AUTH_FAILED') throw keyNotAccepted(connection.host, connection.user, error)
      throw error
    }
    const where = jump === null ? '; the jump host took none, so its own sign-in is needed each time' : ''
    detail(`${added ? 'added' : 'is there already'}${via ? where : ''}`)
  }

  #runtime({ facts, name }: Target): string {
    const architecture = facts.architecture ?? 'amd64'
    const path = this.#deps.programs.runtime(architecture)
    if (path !== null) return path
    throw new FlotillaError('UNSUPPORTED', {
      what: `Flotilla has no runtime for ${name}.`,
      why: `This build carries none for ${architecture}.`,
      next: `Install the package node-linux-${architecture === 'amd64' ? 'x64' : architecture} beside it, or use a machine of this computer's kind.`,
    })
  }

  async #configure(tools: StepTools): Promise<void> {
    const { cluster, units, bootstrapToken } = this.#deps
    const { name, labels, memoryLimitBytes, nodeIP } = this.#request
    const { facts } = this.#target
    const node = {
      nodeName: name,
      nodeIP: nodeAddress(facts, nodeIP),
      labels: labels ?? {},
      bootstrapToken: await bootstrapToken(),
      ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    }
    await configure(this.#target, configFiles(cluster, node, facts, units), tools)
    tools.detail(`as ${name}, ${node.nodeIP}`)
  }

  async #images({ signal, detail }: StepTools): Promise<void> {
    const { root, facts, name } = this.#target
    const names = await loadBaseImages(root, { machine: name, architecture: facts.architecture ?? 'amd64', signal, detail })
    detail(names.join(', '))
  }

  async #join({ signal, detail }: StepTools): Promise<void> {
    const target = this.#target
    await this.#deps.untilNodeReady({ signal, detail, agentLog: () => lastWords(target, 'agent') })
    await target.root.exec(`rm -f ${LAYOUT.bootstrapToken}`, { signal, timeoutMs: 60_000 })
  }
}
