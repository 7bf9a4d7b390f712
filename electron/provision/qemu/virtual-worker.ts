/** Keeps one virtual machine as its Machine object says: made, running, shut down or suspended, and of the size that is wanted. */
import type { Machine, MachinePhase, VirtualMachineSpec } from '../../api/infra/v1alpha1/types.ts'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { MachineImage, MachineImages } from '../machine-image/images.ts'
import type { StatusChange } from '../machines/status-writer.ts'
import type { SshConnection } from '../ssh/connection.ts'
import { userShell } from '../ssh/sudo.ts'
import { mebibytes } from '../ssh/transfer.ts'
import type { Step, StepTools } from '../steps/step.ts'
import { TCG_WARNING } from './accelerator.ts'
import type { VirtualInfo, VirtualMachines } from './virtual-machines.ts'

/** What the machine's worker lends. */
export interface VirtualHost {
  machine(): Machine
  phase(): MachinePhase | undefined
  /** Whether a run of the provisioner or a removal is under way; that comes first. */
  busy(): boolean
  patchSpec(spec: { ssh: Machine['spec']['ssh']; nodeIP: string }): Promise<void>
  setStatus(change: StatusChange): void
  setPhase(phase: MachinePhase, more?: StatusChange): void
  openLink(): void
  closeLink(): Promise<void>
  /** The link's connection, if it is up. */
  connection(): SshConnection | null
}

export interface VirtualDeps {
  readonly machines: VirtualMachines
  readonly images: MachineImages
  readonly clock: Clock
  readonly logger: Logger
}

const DEFAULTS: VirtualMachineSpec = { cpus: 2, memoryBytes: 2 ** 31, diskBytes: 20 * 2 ** 30, power: 'On' }
/** Seconds that a guest's clock may be wrong before it is set. */
const CLOCK_TOLERANCE_S = 2

export class VirtualWorker implements AsyncDisposable {
  readonly #host: VirtualHost
  readonly #deps: VirtualDeps
  readonly #stopping = new AbortController()
  #running: Promise<void> | null = null
  #again = false

  constructor(host: VirtualHost, deps: VirtualDeps) {
    this.#host = host
    this.#deps = deps
  }

  get #name(): string {
    return this.#host.machine().metadata.name
  }

  get #spec(): VirtualMachineSpec {
    return this.#host.machine().spec.qemu ?? DEFAULTS
  }

  /** Whether it is to run. */
  get wanted(): boolean {
    return this.#spec.power === 'On'
  }

  /** The provisioner's first step: makes the machine and waits until it can be signed in to. */
  step(): Step {
    return { name: 'machine', title: 'Make the machine', run: (tools) => this.#make(tools) }
  }

  /** Starts it if it does not run, and sees that the object says where it is reached. Throws if it is not to run. */
  async ensureRunning(signal: AbortSignal): Promise<void> {
    if (!this.wanted)
      throw new FlotillaError('SSH_UNREACHABLE', {
        what: `${this.#name} does not run.`,
        why: this.#spec.power === 'Suspended' ? 'It is suspended.' : 'It is shut down.',
        next: `Start it first: \`flotilla vm start ${this.#name}\`.`,
      })
    await this.#tell(await this.#deps.machines.start(this.#name, { spec: sizesOf(this.#spec), signal }))
  }

  /** The guest's clock stood still while it was suspended, or while this computer slept. */
  async setClock(connection: SshConnection, signal?: AbortSignal): Promise<void> {
    const now = Math.round(this.#deps.clock.now() / 1000)
    const script = `d=$(($(date +%s) - ${now})); if [ $d -gt ${CLOCK_TOLERANCE_S} ] || [ $d -lt -${CLOCK_TOLERANCE_S} ]; then date -u -s @${now}; fi`
    const { code, stderr } = await userShell(connection).exec(script, { signal, timeoutMs: 30_000 })
    if (code !== 0) this.#deps.logger.warn('a guest’s clock could not be set', { machine: this.#name, why: stderr.trim() })
  }

  /** Looks at object and machine, and does what is to be done; called whenever the object changes. */
  reconcile(): void {
    if (this.#stopping.signal.aborted) return
    this.#again = true
    this.#running ??= this.#loop().finally(() => (this.#running = null))
  }

  /** Leaves nothing of the machine. */
  async remove(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    await this.#deps.machines.remove(this.#name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping
    while (this.#again && !signal.aborted) {
      this.#again = false
      if (this.#host.busy()) return
      try {
        const info = await this.#deps.machines.get(this.#name)
        if (info) await (this.wanted ? this.#turnOn(info) : this.#turnOff(info, signal))
      } catch (error) {
        if (signal.aborted) return
        this.#deps.logger.warn('a virtual machine could not be changed', { machine: this.#name, why: messageOf(error) })
        this.#host.setStatus({ failure: failureOf(error) })
        if (this.wanted || this.#host.connection()) continue
        this.#host.setPhase('Unreachable')
      }
    }
  }

  async #turnOn(info: VirtualInfo): Promise<void> {
    const { machines } = this.#deps
    const phase = this.#host.phase()
    if (phase === 'Stopped' || phase === 'Suspended') {
      this.#host.setPhase('Unreachable', { failure: null })
      return this.#host.openLink()
    }
    const sizes = sizesOf(this.#spec)
    if (info.power !== 'Running' || JSON.stringify(sizes) === JSON.stringify(info.spec)) return
    const { diskGrew } = await machines.resize(this.#name, sizes)
    const connection = this.#host.connection()
    if (diskGrew && connection) await userShell(connection).exec(GROW, { timeoutMs: 60_000 })
    const after = await machines.get(this.#name)
    if (after) this.#host.setStatus({ qemu: statusOf(after) })
  }

  async #turnOff(info: VirtualInfo, signal: AbortSignal): Promise<void> {
    const { machines, clock } = this.#deps
    const suspend = this.#spec.power === 'Suspended'
    const phase = this.#host.phase()
    if (phase !== 'Ready' && phase !== 'Unreachable' && phase !== 'Stopped' && phase !== 'Suspended') return
    if (info.power !== 'Running' && phase === info.power && (info.power === 'Stopped' || suspend)) return
    await this.#host.closeLink()
    const since = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    if (suspend && info.power === 'Running') await machines.suspend(this.#name, signal)
    if (!suspend) await machines.stop(this.#name, { signal })
    const after = await machines.get(this.#name)
    this.#host.setPhase(after?.power === 'Suspended' ? 'Suspended' : 'Stopped', {
      failure: null,
      link: { connected: false, since, lastError: null, attempts: null, nextAttempt: null },
    })
  }

  async #make({ signal, detail }: StepTools): Promise<void> {
    const { machines } = this.#deps
    const accelerator = await machines.accelerator()
    if (!(await machines.get(this.#name))) {
      const image = await this.#image(signal, detail)
      detail('making its disk')
      await machines.create(this.#name, sizesOf(this.#spec), image)
    }
    detail(accelerator === 'tcg' ? 'starting, which takes a minute without hardware virtualization' : 'starting')
    const info = await machines.start(this.#name, { spec: sizesOf(this.#spec), signal })
    await this.#tell(info)
    detail(`${info.address} on this computer${accelerator === 'tcg' ? `. ${TCG_WARNING}` : ''}`)
  }

  async #image(signal: AbortSignal, detail: (text: string) => void): Promise<MachineImage> {
    const { images, clock } = this.#deps
    const { image } = this.#spec
    if (!image)
      return await images.ensureOwn({
        signal,
        now: clock.now(),
        onProgress: (progress) => detail(`building the machine image: ${progress.detail}`),
      })
    return await images.ensureCloud(image, {
      signal,
      onProgress: ({ received, total }) => detail(`downloaded ${mebibytes(received)}${total === null ? '' : ` of ${mebibytes(total)}`}`),
    })
  }

  /** Says where it is reached, and how it runs. */
  async #tell(info: VirtualInfo): Promise<void> {
    this.#host.setStatus({ qemu: statusOf(info) })
    const ssh = { host: '127.0.0.1', port: info.sshPort, user: 'root', hostKey: info.hostKey, auth: 'key' as const }
    const { spec } = this.#host.machine()
    if (spec.ssh?.port === ssh.port && spec.ssh.hostKey === ssh.hostKey && spec.nodeIP === info.address) return
    await this.#host.patchSpec({ ssh, nodeIP: info.address })
  }
}

/** Grows the root file system to its disk: our image's whole disk, or with growpart a partition of a cloud image. */
const GROW = `root=$(findmnt -no SOURCE /); disk=$(lsblk -no PKNAME "$root" | head -n 1)
[ -z "$disk" ] || ! command -v growpart > /dev/null || growpart "/dev/$disk" "\${root##*[!0-9]}"
/lib/systemd/systemd-growfs /`

function sizesOf({ cpus, memoryBytes, diskBytes }: VirtualMachineSpec) {
  return { cpus, memoryBytes, diskBytes }
}

function statusOf({ launched, spec, power }: VirtualInfo): NonNullable<Machine['status']['qemu']> | null {
  if (!launched) return null
  const memoryBytes = launched.memoryMib * 2 ** 20
  const restartNeeded = power === 'Running' && (spec.cpus !== launched.cpus || spec.memoryBytes > memoryBytes)
  return { accelerator: launched.accelerator, cpus: launched.cpus, memoryBytes, restartNeeded }
}

function failureOf(error: unknown): NonNullable<Machine['status']['failure']> {
  const step = 'power'
  if (error instanceof FlotillaError) return { ...error.toJSON(), step }
  return {
    code: 'INTERNAL',
    step,
    what: 'The virtual machine could not be changed.',
    why: `${messageOf(error)}.`,
    next: 'Try again; the log has the details.',
  }
}
