/**
 * Virtual machines on this computer. One belongs to no process of the app: QEMU outlives it, and is found again by the machine's
 * folder. Everything of a machine lies in that folder: disk, state, log, PID, and where paths are short enough its sockets.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { Mutex } from '../../base/async.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { MachineImage, MachineImages } from '../machine-image/images.ts'
import { newKeyPair } from '../ssh/keygen.ts'
import { findAccelerator, hostArchitecture, QEMU, type Accelerator } from './accelerator.ts'
import { DISK_NODE, FILES, kernelAppend, qemuArguments, type Boot, type GuestArchitecture } from './command-line.ts'
import { smbiosCredentials, type GuestIdentity } from './credentials.ts'
import { compactDisk, createOverlay, diskFacts, growDisk, offlineSnapshot, type Snapshot } from './disk.ts'
import { alreadyOff, broken, noSuchMachine, noSuchSnapshot, unsupportedHere } from './failures.ts'
import { virtualNames, type MachinePaths, type VirtualNames } from './paths.ts'
import { findQemu, launchQemu, LaunchError, untilEnded } from './process.ts'
import { Qmp, QmpError } from './qmp.ts'
import { greets } from './reach.ts'
import { seedImage } from './seed.ts'
import { readKept, writeKept, type Kept, type VirtualSpec } from './state.ts'

export interface VirtualMachinesOptions {
  readonly stateDir: string
  readonly images: MachineImages
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** "ssh-ed25519 AAAA…": may sign in as root. */
  readonly authorizedKey: string
  /** Lets guests reach other networks through this computer. Absent: yes. */
  readonly egress?: boolean
  /** Absent: the best that runs here. */
  readonly accelerator?: Accelerator
}

export type Power = 'Running' | 'Stopped' | 'Suspended'

export interface VirtualInfo {
  readonly name: string
  readonly power: Power
  /** On the segment that the machines share. */
  readonly address: string
  /** On 127.0.0.1. */
  readonly sshPort: number
  readonly hostKey: string
  readonly spec: VirtualSpec
  /** How it runs, or ran last. */
  readonly launched: Kept['launched']
}

/** Milliseconds for the guest to shut down after its power button was pressed; emulated ones are slow. */
const SHUTDOWN_MS = 60_000
const KILL_MS = 20_000
/** Milliseconds for its SSH server to answer. */
const BOOT_MS: Record<Accelerator, number> = { kvm: 120_000, hvf: 120_000, tcg: 600_000 }
const GREETING_MS = 3000
/** The snapshot that a suspended machine goes on from. */
const SUSPENDED = 'flotilla-suspended'
const LOG_LIMIT = 4 << 20

export class VirtualMachines {
  readonly #options: VirtualMachinesOptions
  readonly #names: VirtualNames
  /** Addresses and ports are handed out one at a time. */
  readonly #allocation = new Mutex()
  readonly #mutexes = new Map<string, Mutex>()
  #accelerator: Promise<Accelerator> | null = null

  constructor(options: VirtualMachinesOptions) {
    this.#options = options
    this.#names = virtualNames(options.stateDir)
  }

  /** What QEMU can use here. Throws MISSING_REQUIREMENT without QEMU, UNSUPPORTED where it cannot be driven. */
  async accelerator(): Promise<Accelerator> {
    this.#accelerator ??= Promise.resolve(this.#options.accelerator ?? findAccelerator(requireArchitecture()))
    try {
      return await this.#accelerator
    } catch (error) {
      // QEMU may be installed meanwhile.
      this.#accelerator = null
      throw error
    }
  }

  /** All that exist, by name. */
  async list(): Promise<VirtualInfo[]> {
    const entries = await readdir(this.#names.dir, { withFileTypes: true }).catch(ignore('ENOENT', []))
    const infos = await Promise.all(entries.filter((entry) => entry.isDirectory()).map((entry) => this.get(entry.name)))
    return infos.filter((info) => info !== null)
  }

  async get(name: string): Promise<VirtualInfo | null> {
    const { folder, state } = this.#names.machine(name)
    const kept = await readKept(state)
    return kept && infoOf(name, kept, (await findQemu(folder, kept.uuid)) !== null)
  }

  /** Bytes that its disk takes here, and its snapshots. */
  async disk(name: string): Promise<{ usedBytes: number; snapshots: readonly Snapshot[] }> {
    const { folder } = await this.#require(name)
    const { used, snapshots } = await diskFacts(join(folder, FILES.disk))
    return { usedBytes: used, snapshots: snapshots.filter((one) => one.name !== SUSPENDED) }
  }

  /**
   * Makes a machine without starting it; one that exists stays as it is. Throws MISSING_REQUIREMENT, UNSUPPORTED, DISK_FULL. What was
   * begun and failed is taken away.
   */
  async create(name: string, spec: VirtualSpec, image: MachineImage): Promise<VirtualInfo> {
    await this.accelerator()
    return await this.#alone(name, async (paths) => {
      const there = await this.get(name)
      if (there) return there
      await mkdir(paths.folder, { recursive: true, mode: 0o700 })
      try {
        await createOverlay(join(paths.folder, FILES.disk), image.disk, spec.diskBytes)
        const kept = await this.#allocation.run(async () => {
          const allocated = await this.#allocate(name, spec, image)
          await writeKept(paths.state, allocated)
          return allocated
        })
        return infoOf(name, kept, false)
      } catch (error) {
        await this.#takeAway(paths)
        throw error
      }
    })
  }

  /**
   * Starts one that does not run, going on from where it was suspended; resolves when its SSH server answers. `spec`: from now on.
   * Its SSH port may be another than before, if that was taken meanwhile. `resumed`: its memory was gone on with.
   */
  async start(name: string, options: { spec?: VirtualSpec; signal: AbortSignal }): Promise<VirtualInfo & { resumed: boolean }> {
    const { signal } = options
    const resumed = await this.#alone(name, async (paths) => {
      let kept = await this.#kept(name)
      if (options.spec) kept = await this.#apply(paths, kept, options.spec)
      if (await findQemu(paths.folder, kept.uuid)) return false
      return await this.#launch(name, paths, kept, signal)
    })
    const info = await this.#untilReachable(name, signal)
    return { ...info, resumed }
  }

  /** Presses the power button and waits; what does not end within a minute, or with `hard`, is cut off. */
  async stop(name: string, options: { hard?: boolean; signal?: AbortSignal } = {}): Promise<void> {
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      await this.#discardMemory(paths, kept)
      if (!options.hard && (await findQemu(paths.folder, kept.uuid))) {
        const pressed = await this.#withQmp(paths, (qmp) => qmp.execute('system_powerdown'), options.signal).then(
          () => true,
          () => false,
        )
        const { clock } = this.#options
        if (pressed && (await untilEnded(paths.folder, kept.uuid, { clock, ms: SHUTDOWN_MS, signal: options.signal })))
          return this.#clearSockets(paths)
      }
      await this.#kill(name, paths, kept)
    })
  }

  /** Writes its memory into its disk and ends QEMU. */
  async suspend(name: string, signal?: AbortSignal): Promise<void> {
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      if (kept.suspended) return
      if (!(await findQemu(paths.folder, kept.uuid))) throw alreadyOff(name, 'suspended')
      using qmp = await this.#connect(paths, signal)
      await qmp.execute('stop')
      try {
        await saveState(qmp, SUSPENDED, signal)
        await writeKept(paths.state, { ...kept, suspended: true })
      } catch (error) {
        await qmp.execute('cont').catch(() => undefined)
        throw saveFailed(name, error)
      }
      await qmp.execute('quit').catch(() => undefined)
      await qmp.closed
      await this.#kill(name, paths, kept)
    })
  }

  /** Like the reset button with `hard`, else an orderly restart. */
  async reboot(name: string, options: { hard?: boolean; signal: AbortSignal }): Promise<VirtualInfo> {
    if (!options.hard) await this.stop(name, options)
    else
      await this.#alone(name, async (paths) => {
        const kept = await this.#kept(name)
        if (await findQemu(paths.folder, kept.uuid)) await this.#withQmp(paths, (qmp) => qmp.execute('system_reset'), options.signal)
      })
    return await this.start(name, options)
  }

  /**
   * Writes down what it is to have, and does what can be done while it runs: a larger disk, less memory. `restart`: the rest comes
   * with its next start. A disk never shrinks: INVALID_INPUT.
   */
  async resize(name: string, spec: VirtualSpec): Promise<{ restart: boolean; diskGrew: boolean }> {
    return await this.#alone(name, async (paths) => {
      const before = await this.#kept(name)
      const kept = await this.#apply(paths, before, spec)
      const running = (await findQemu(paths.folder, kept.uuid)) !== null
      const { launched } = kept
      const wanted = mebibytes(spec.memoryBytes)
      if (running && launched && wanted <= launched.memoryMib)
        await this.#withQmp(paths, (qmp) => qmp.execute('balloon', { value: wanted * 2 ** 20 }))
      const restart = running && launched !== null && (wanted > launched.memoryMib || spec.cpus !== launched.cpus)
      return { restart, diskGrew: spec.diskBytes > before.spec.diskBytes }
    })
  }

  /** Leaves nothing of it. */
  async remove(name: string): Promise<void> {
    await this.#alone(name, async (paths) => {
      const kept = await readKept(paths.state)
      if (kept) await this.#kill(name, paths, kept)
      await this.#takeAway(paths)
    })
    this.#mutexes.delete(name)
  }

  /** Of disk and, if it runs, memory. */
  async snapshot(name: string, label: string, signal?: AbortSignal): Promise<void> {
    checkLabel(label)
    const { snapshots } = await this.disk(name)
    if (snapshots.some((one) => one.name === label)) throw snapshotExists(name, label)
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      if (!(await findQemu(paths.folder, kept.uuid))) return void (await offlineSnapshot.create(join(paths.folder, FILES.disk), label))
      await this.#withQmp(paths, (qmp) => saveState(qmp, label, signal), signal).catch((error: unknown) => {
        throw saveFailed(name, error)
      })
    })
  }

  /** Puts disk, and memory if the snapshot has one, back. A machine that ran runs on; with a snapshot of the disk alone it must be started. */
  async restore(name: string, label: string, signal: AbortSignal): Promise<void> {
    const found = (await this.disk(name)).snapshots.find((one) => one.name === label)
    if (!found) throw noSuchSnapshot(name, label)
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      const running = await findQemu(paths.folder, kept.uuid)
      if (running && found.memoryBytes > 0) return await this.#withQmp(paths, (qmp) => loadState(qmp, label, signal), signal)
      if (running) await this.#kill(name, paths, kept)
      await this.#discardMemory(paths, kept)
      await offlineSnapshot.apply(join(paths.folder, FILES.disk), label)
    })
  }

  async deleteSnapshot(name: string, label: string, signal?: AbortSignal): Promise<void> {
    if (!(await this.disk(name)).snapshots.some((one) => one.name === label)) throw noSuchSnapshot(name, label)
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      if (await findQemu(paths.folder, kept.uuid)) await this.#withQmp(paths, (qmp) => deleteState(qmp, label, signal), signal)
      else await offlineSnapshot.delete(join(paths.folder, FILES.disk), label)
    })
  }

  /** Gives back what the disk of a stopped machine does not need. Returns its bytes before and after. */
  async compact(name: string): Promise<{ before: number; after: number }> {
    return await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      const disk = join(paths.folder, FILES.disk)
      const { used, snapshots } = await diskFacts(disk)
      const image = await this.#options.images.find(kept.image)
      const why = (await findQemu(paths.folder, kept.uuid))
        ? 'It runs.'
        : snapshots.length > 0 || kept.suspended
          ? 'It has snapshots or is suspended, and those would be lost.'
          : image
            ? null
            : 'The image below its disk is gone.'
      if (why !== null || !image)
        throw new FlotillaError('INVALID_INPUT', {
          what: `The disk of ${name} was not compacted.`,
          why: why ?? '',
          next: 'Stop it and delete its snapshots first.',
        })
      await compactDisk(disk, image.disk)
      return { before: used, after: (await diskFacts(disk)).used }
    })
  }

  /** The end of what its serial line printed, at most `bytes`. */
  async log(name: string, bytes = 256 * 1024): Promise<string> {
    const { folder } = await this.#require(name)
    const text = await readFile(join(folder, FILES.serialLog)).catch(ignore('ENOENT', Buffer.alloc(0)))
    return text.subarray(Math.max(0, text.length - bytes)).toString('utf8')
  }

  /** Its serial line, both ways; one at a time. */
  async console(name: string): Promise<Socket> {
    const { serial } = await this.#require(name)
    return await new Promise((resolve, reject) => {
      const socket = connect({ path: serial })
      socket.once('connect', () => resolve(socket))
      socket.once('error', () => reject(alreadyOff(name, 'looked into')))
    })
  }

  async #allocate(name: string, spec: VirtualSpec, image: MachineImage): Promise<Kept> {
    const { random } = this.#options
    const pair = newKeyPair(random, name)
    const others = await this.list()
    const taken = new Set(others.map((other) => other.address))
    const address = Array.from({ length: 240 }, (_, i) => `10.78.${this.#names.subnet}.${11 + i}`).find((one) => !taken.has(one))
    if (address === undefined) throw broken(name, 'All 240 addresses of their network are given out.')
    return {
      ...{ uuid: random.uuid(), image: image.id, address, spec, launched: null, suspended: false },
      sshPort: await freePort(new Set(others.map((other) => other.sshPort))),
      hostKey: pair.publicText,
      privateHostKey: pair.privateText,
      machineId: Buffer.from(random.bytes(16)).toString('hex'),
    }
  }

  async #apply(paths: MachinePaths, kept: Kept, spec: VirtualSpec): Promise<Kept> {
    if (spec.diskBytes < kept.spec.diskBytes)
      throw new FlotillaError('INVALID_INPUT', {
        what: 'The disk of a virtual machine cannot become smaller.',
        why: `It has ${kept.spec.diskBytes} bytes, and ${spec.diskBytes} were asked for.`,
        next: 'Ask for as much as it has, or make a new machine.',
      })
    if (JSON.stringify(spec) === JSON.stringify(kept.spec)) return kept
    if (spec.diskBytes > kept.spec.diskBytes) {
      if (await findQemu(paths.folder, kept.uuid))
        await this.#withQmp(paths, (qmp) => qmp.execute('block_resize', { 'node-name': DISK_NODE, size: spec.diskBytes }))
      else await growDisk(join(paths.folder, FILES.disk), spec.diskBytes)
    }
    const next = { ...kept, spec }
    await writeKept(paths.state, next)
    return next
  }

  /** Returns whether it goes on from where it was suspended. */
  async #launch(name: string, paths: MachinePaths, before: Kept, signal: AbortSignal): Promise<boolean> {
    const { images, clock, logger } = this.#options
    const architecture = requireArchitecture()
    const accelerator = await this.accelerator()
    const image = await images.find(before.image)
    if (!image) throw broken(name, `The image below its disk is gone: ${before.image}.`)
    const launched =
      before.suspended && before.launched
        ? before.launched
        : { cpus: before.spec.cpus, memoryMib: mebibytes(before.spec.memoryBytes), accelerator }
    const others = (await this.list()).filter((other) => other.name !== name).map((other) => other.sshPort)
    const sshPort = (await isFree(before.sshPort)) ? before.sshPort : await freePort(new Set(others))
    const kept: Kept = { ...before, launched, sshPort }
    await writeKept(paths.state, kept)
    const boot = await this.#boot(name, paths, kept, image)
    await rotate(join(paths.folder, FILES.serialLog))
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
      await this.#kill(name, paths, kept)
      if (error instanceof LaunchError) throw broken(name, `QEMU says: ${error.message}.`)
      throw error
    }
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

  async #untilReachable(name: string, signal: AbortSignal): Promise<VirtualInfo> {
    const { clock } = this.#options
    const start = clock.monotonic()
    for (;;) {
      const info = await this.get(name)
      if (!info) throw noSuchMachine(name)
      if (info.power !== 'Running')
        throw broken(name, `It ended while it was starting. Its serial line said last: ${await this.#lastWords(name)}`)
      if (await greets(info.sshPort, clock, GREETING_MS)) return info
      const patience = BOOT_MS[info.launched?.accelerator ?? 'tcg']
      if (clock.monotonic() - start > patience)
        throw broken(
          name,
          `Its SSH server did not answer within ${patience / 60_000} minutes. Its serial line said last: ${await this.#lastWords(name)}`,
        )
      await sleep(clock, 250, signal)
    }
  }

  async #lastWords(name: string): Promise<string> {
    const lines = (await this.log(name, 4096)).trim().split('\n')
    return lines.slice(-2).join('; ').trim() || 'nothing.'
  }

  /** Forgets the memory of a suspended machine, as when the power goes. */
  async #discardMemory(paths: MachinePaths, kept: Kept): Promise<void> {
    if (!kept.suspended) return
    await offlineSnapshot.delete(join(paths.folder, FILES.disk), SUSPENDED)
    await writeKept(paths.state, { ...kept, suspended: false })
  }

  /** Ends QEMU if it runs, at once. */
  async #kill(name: string, paths: MachinePaths, kept: Kept): Promise<void> {
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
    await this.#clearSockets(paths)
  }

  async #clearSockets(paths: MachinePaths): Promise<void> {
    for (const file of [paths.qmp, paths.serial, join(paths.folder, FILES.pid)]) await rm(file, { force: true })
  }

  async #takeAway(paths: MachinePaths): Promise<void> {
    await this.#clearSockets(paths)
    await rm(paths.folder, { recursive: true, force: true })
    const left = await readdir(this.#names.dir).catch(ignore('ENOENT', ['']))
    if (left.length === 0) await rm(this.#names.dir, { recursive: true, force: true })
  }

  async #connect(paths: MachinePaths, signal?: AbortSignal): Promise<Qmp> {
    return await Qmp.connect(paths.qmp, { clock: this.#options.clock, signal })
  }

  async #withQmp<T>(paths: MachinePaths, use: (qmp: Qmp) => Promise<T>, signal?: AbortSignal): Promise<T> {
    using qmp = await this.#connect(paths, signal)
    return await use(qmp)
  }

  #alone<T>(name: string, task: (paths: MachinePaths) => Promise<T>): Promise<T> {
    const paths = this.#names.machine(name)
    let mutex = this.#mutexes.get(name)
    if (!mutex) this.#mutexes.set(name, (mutex = new Mutex()))
    return mutex.run(() => task(paths))
  }

  async #kept(name: string): Promise<Kept> {
    const kept = await readKept(this.#names.machine(name).state)
    if (!kept) throw noSuchMachine(name)
    return kept
  }

  async #require(name: string): Promise<MachinePaths> {
    await this.#kept(name)
    return this.#names.machine(name)
  }
}

const snapshotTarget = (tag: string) => ({ tag, vmstate: DISK_NODE, devices: [DISK_NODE] })

async function saveState(qmp: Qmp, tag: string, signal?: AbortSignal): Promise<void> {
  await qmp.job('snapshot-save', `save-${tag}`, snapshotTarget(tag), signal)
}

async function loadState(qmp: Qmp, tag: string, signal?: AbortSignal): Promise<void> {
  await qmp.job('snapshot-load', `load-${tag}`, snapshotTarget(tag), signal)
}

async function deleteState(qmp: Qmp, tag: string, signal?: AbortSignal): Promise<void> {
  await qmp.job('snapshot-delete', `delete-${tag}`, { tag, devices: [DISK_NODE] }, signal)
}

function infoOf(name: string, kept: Kept, running: boolean): VirtualInfo {
  const { address, sshPort, hostKey, spec, launched, suspended } = kept
  return { name, power: running ? 'Running' : suspended ? 'Suspended' : 'Stopped', address, sshPort, hostKey, spec, launched }
}

function requireArchitecture(): GuestArchitecture {
  const architecture = hostArchitecture()
  if (!architecture || process.platform === 'win32') throw unsupportedHere()
  return architecture
}

const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20)

async function rotate(log: string): Promise<void> {
  const size = (await stat(log).catch(ignore('ENOENT', null)))?.size ?? 0
  if (size > LOG_LIMIT) await rename(log, `${log}.1`)
}

async function isFree(port: number): Promise<boolean> {
  return await listenOnce(port).then(
    () => true,
    () => false,
  )
}

async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = await listenOnce(0)
    if (!taken.has(port)) return port
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}

function checkLabel(label: string): void {
  if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(label) && label !== SUSPENDED) return
  throw new FlotillaError('INVALID_INPUT', {
    what: `"${label}" cannot be the name of a snapshot.`,
    why: 'It must be 1 to 63 letters, digits, dots, hyphens and underscores, and begin with a letter or digit.',
    next: 'Choose another name.',
  })
}

function snapshotExists(name: string, label: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `No snapshot of ${name} was taken.`,
    why: `It has one that is called "${label}".`,
    next: 'Choose another name, or delete that one.',
  })
}

function saveFailed(name: string, error: unknown): unknown {
  if (!(error instanceof QmpError)) return error
  const full = /No space left/i.test(error.message)
  return new FlotillaError(full ? 'DISK_FULL' : 'INTERNAL', {
    what: `The memory of ${name} could not be saved.`,
    why: full ? 'The disk of this computer is full.' : `QEMU says: ${error.message}.`,
    next: full ? 'Make room, then try again. The machine goes on.' : 'The machine goes on. Stop it instead.',
    cause: error,
  })
}

function ignore<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if (systemCode(error) === code) return value
    throw error
  }
}
