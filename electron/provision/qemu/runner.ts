/** Runs QEMU for one machine at a time: starts it, talks to it, waits for its guest, ends it. */
import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sleep, type Clock } from '../../base/clock.ts'
import { messageOf, systemCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { MachineImage, MachineImages } from '../machine-image/images.ts'
import { hostArchitecture, QEMU, type Accelerator } from './accelerator.ts'
import { FILES, kernelAppend, qemuArguments, type Boot, type GuestArchitecture } from './command-line.ts'
import { smbiosCredentials, type GuestIdentity } from './credentials.ts'
import { broken, unsupportedHere } from './failures.ts'
import type { MachinePaths, VirtualNames } from './paths.ts'
import { freePort, isFree } from './ports.ts'
import { findQemu, launchQemu, LaunchError, untilEnded } from './process.ts'
import { Qmp } from './qmp.ts'
import { greets } from './reach.ts'
import { deleteState, loadState, SUSPENDED } from './saved-state.ts'
import { seedImage } from './seed.ts'
import { writeKept, type Kept } from './state.ts'

export interface RunnerOptions {
  readonly images: MachineImages
  readonly clock: Clock
  readonly logger: Logger
  /** "ssh-ed25519 AAAA…": may sign in as root. */
  readonly authorizedKey: string
  /** Lets guests reach other networks through this computer. Absent: yes. */
  readonly egress?: boolean
}

/** A guest that is waited for, as it is now. */
export interface Reachable {
  readonly running: boolean
  readonly sshPort: number
  readonly accelerator: Accelerator
}

const KILL_MS = 20_000
/** Milliseconds for its SSH server to answer. */
const BOOT_MS: Record<Accelerator, number> = { kvm: 120_000, hvf: 120_000, tcg: 600_000 }
const GREETING_MS = 10_000
/** Milliseconds between knocks at a guest that boots. */
const RARELY_MS = 15_000
/** Begins the line of the serial log above each start. */
const STARTED = '--- started'
const LOG_LIMIT = 4 << 20

export class QemuRunner {
  readonly #options: RunnerOptions
  readonly #names: VirtualNames

  constructor(options: RunnerOptions, names: VirtualNames) {
    this.#options = options
    this.#names = names
  }

  /** Starts QEMU. `taken`: ports of other machines. Returns whether it goes on from where it was suspended. */
  async launch(
    name: string,
    before: Kept,
    options: { accelerator: Accelerator; taken: ReadonlySet<number>; signal: AbortSignal },
  ): Promise<boolean> {
    const { images, clock, logger } = this.#options
    const { accelerator, signal } = options
    const paths = this.#names.machine(name)
    const architecture = requireArchitecture()
    const image = await images.find(before.image)
    if (!image) throw broken(name, `The image below its disk is gone: ${before.image}.`)
    const launched =
      before.suspended && before.launched
        ? before.launched
        : { cpus: before.spec.cpus, memoryMib: mebibytes(before.spec.memoryBytes), accelerator }
    const sshPort = (await isFree(before.sshPort)) ? before.sshPort : await freePort(options.taken)
    const kept: Kept = { ...before, launched, sshPort }
    await writeKept(paths.state, kept)
    const boot = await this.#boot(name, paths, kept, image)
    const log = join(paths.folder, FILES.serialLog)
    await rotate(log)
    if (!kept.suspended) await appendFile(log, `${STARTED} ${new Date(clock.now()).toISOString()}\n`, { mode: 0o600 })
    await mkdir(dirname(paths.qmp), { recursive: true, mode: 0o700 })
    await rm(paths.serial, { force: true })
    const { segment } = this.#names
    const args = qemuArguments({
      ...{ name, architecture, boot, sshPort, segment, ...launched },
      uuid: kept.uuid,
      egress: this.#options.egress ?? true,
      macs: this.#names.macs(name),
      qmpSocket: paths.qmp,
      serialSocket: paths.serial,
      paused: kept.suspended,
    })
    try {
      using qmp = await launchQemu(QEMU[architecture], args, { folder: paths.folder, qmpSocket: paths.qmp, clock, signal })
      if (!kept.suspended) return false
      const failure = await loadState(qmp, SUSPENDED, signal).then(
        () => null,
        (error: unknown) => error,
      )
      if (failure !== null) {
        signal.throwIfAborted()
        logger.warn('a machine could not go on from where it was suspended, and is started anew', {
          machine: name,
          why: messageOf(failure),
        })
        await qmp.execute('system_reset')
      }
      // From here on the disk is written to, and the memory would not fit it.
      await writeKept(paths.state, { ...kept, suspended: false })
      await deleteState(qmp, SUSPENDED, signal).catch(() => undefined)
      await qmp.execute('cont')
      return failure === null
    } catch (error) {
      await this.kill(name, kept)
      if (error instanceof LaunchError) throw broken(name, `QEMU says: ${error.message}.`)
      throw error
    }
  }

  /**
   * Resolves when its SSH server greets. `boots`: each knock at the door of a guest that is not up yet is kept by QEMU and delivered later, when it costs the guest a process
   * of sshd; so it is knocked at rarely until the serial line asks for a login.
   */
  async untilReachable(name: string, look: () => Promise<Reachable>, options: { boots: boolean; signal: AbortSignal }): Promise<void> {
    const { clock } = this.#options
    const start = clock.monotonic()
    let rarely = options.boots
    let knocked = start
    for (;;) {
      const { running, sshPort, accelerator } = await look()
      if (!running) throw broken(name, `It ended while it was starting. Its serial line said last: ${await this.#lastWords(name)}`)
      rarely &&= !(await this.#asksForLogin(name))
      if (!rarely || clock.monotonic() - knocked > RARELY_MS) {
        knocked = clock.monotonic()
        if (await greets(sshPort, clock, GREETING_MS)) return
      }
      const patience = BOOT_MS[accelerator]
      if (clock.monotonic() - start > patience)
        throw broken(
          name,
          `Its SSH server did not answer within ${patience / 60_000} minutes. Its serial line said last: ${await this.#lastWords(name)}`,
        )
      await sleep(clock, 250, options.signal)
    }
  }

  /** Ends QEMU if it runs, at once. */
  async kill(name: string, kept: Kept): Promise<void> {
    const paths = this.#names.machine(name)
    const pid = await findQemu(paths.folder, kept.uuid)
    if (pid !== null) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch (error) {
        if (systemCode(error) !== 'ESRCH') throw error
      }
      if (!(await untilEnded(paths.folder, kept.uuid, { clock: this.#options.clock, ms: KILL_MS })))
        throw broken(name, 'QEMU does not end.')
    }
    await this.clearSockets(paths)
  }

  async clearSockets(paths: MachinePaths): Promise<void> {
    for (const file of [paths.qmp, paths.serial, join(paths.folder, FILES.pid)]) await rm(file, { force: true })
  }

  /** The end of what its serial line printed, at most `bytes`. */
  async log(name: string, bytes = 256 * 1024): Promise<string> {
    const { folder } = this.#names.machine(name)
    const text = await readFile(join(folder, FILES.serialLog)).catch(ignore('ENOENT', Buffer.alloc(0)))
    return text.subarray(Math.max(0, text.length - bytes)).toString('utf8')
  }

  async connect(paths: MachinePaths, signal?: AbortSignal): Promise<Qmp> {
    return await Qmp.connect(paths.qmp, { clock: this.#options.clock, signal })
  }

  async withQmp<T>(paths: MachinePaths, use: (qmp: Qmp) => Promise<T>, signal?: AbortSignal): Promise<T> {
    using qmp = await this.connect(paths, signal)
    return await use(qmp)
  }

  async #boot(name: string, paths: MachinePaths, kept: Kept, image: MachineImage): Promise<Boot> {
    const identity: GuestIdentity = {
      name,
      authorizedKey: this.#options.authorizedKey,
      privateHostKey: kept.privateHostKey,
      macs: this.#names.macs(name),
      address: `${kept.address}/24`,
    }
    if (image.kernel !== undefined && image.initrd !== undefined) {
      const file = 'credentials'
      await writeFile(join(paths.folder, file), smbiosCredentials(identity), { mode: 0o600 })
      const append = kernelAppend({ name, machineId: kept.machineId, accelerator: kept.launched?.accelerator ?? 'tcg' })
      return { type: 'kernel', kernel: image.kernel, initrd: image.initrd, append, credentials: [file] }
    }
    const seed = 'seed.iso'
    await writeFile(join(paths.folder, seed), seedImage(identity, kept.uuid, new Date(this.#options.clock.now())), { mode: 0o600 })
    return { type: 'firmware', firmware: requireArchitecture() === 'arm64' ? 'edk2-aarch64-code.fd' : null, seed }
  }

  /** Whether the serial line has come to a login since it was started last. */
  async #asksForLogin(name: string): Promise<boolean> {
    const { folder } = this.#names.machine(name)
    const log = await readFile(join(folder, FILES.serialLog), 'utf8').catch(ignore('ENOENT', ''))
    return log.slice(log.lastIndexOf(STARTED) + 1).includes(' login:')
  }

  async #lastWords(name: string): Promise<string> {
    const lines = (await this.log(name, 4096)).trim().split('\n')
    return lines.slice(-2).join('; ').trim() || 'nothing.'
  }
}

/** Throws UNSUPPORTED where QEMU cannot be driven. */
export function requireArchitecture(): GuestArchitecture {
  const architecture = hostArchitecture()
  if (!architecture || process.platform === 'win32') throw unsupportedHere()
  return architecture
}

export const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20)

async function rotate(log: string): Promise<void> {
  const size = (await stat(log).catch(ignore('ENOENT', null)))?.size ?? 0
  if (size > LOG_LIMIT) await rename(log, `${log}.1`)
}

function ignore<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if (systemCode(error) === code) return value
    throw error
  }
}
