/**
 * Virtual machines on this computer. One belongs to no process of the app: QEMU outlives it, and is found again by the machine's
 * folder. Everything of a machine lies in that folder: disk, state, log, PID, and where paths are short enough its sockets.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Mutex } from '../../base/async.ts'
import { FlotillaError, systemCode } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type { MachineImage } from '../machine-image/images.ts'
import { newKeyPair } from '../ssh/keygen.ts'
import { findAccelerator, type Accelerator } from './accelerator.ts'
import { DISK_NODE, FILES } from './command-line.ts'
import { compactDisk, createOverlay, diskFacts, growDisk, offlineSnapshot, type Snapshot } from './disk.ts'
import { alreadyOff, broken, noSuchMachine, noSuchSnapshot, saveFailed, snapshotExists } from './failures.ts'
import { virtualNames, type MachinePaths, type VirtualNames } from './paths.ts'
import { freePort } from './ports.ts'
import { findQemu, untilEnded } from './process.ts'
import { mebibytes, QemuRunner, requireArchitecture, type RunnerOptions } from './runner.ts'
import { checkLabel, deleteState, loadState, saveState, SUSPENDED } from './saved-state.ts'
import { readKept, writeKept, type Kept, type VirtualSpec } from './state.ts'

export interface VirtualMachinesOptions extends RunnerOptions {
  readonly stateDir: string
  readonly random: Random
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

export class VirtualMachines {
  readonly #options: VirtualMachinesOptions
  readonly #names: VirtualNames
  readonly #runner: QemuRunner
  /** Addresses and ports are handed out one at a time. */
  readonly #allocation = new Mutex()
  readonly #mutexes = new Map<string, Mutex>()
  #accelerator: Promise<Accelerator> | null = null

  constructor(options: VirtualMachinesOptions) {
    this.#options = options
    this.#names = virtualNames(options.stateDir)
    this.#runner = new QemuRunner(options, this.#names)
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
    signal.throwIfAborted()
    // A launch takes seconds and is not cut in two: whoever asks next finds it running.
    const whole = new AbortController().signal
    const launch = await this.#alone(name, async (paths) => {
      let kept = await this.#kept(name)
      if (options.spec) kept = await this.#apply(paths, kept, options.spec)
      if (await findQemu(paths.folder, kept.uuid)) return { resumed: false, boots: false }
      const others = (await this.list()).filter((other) => other.name !== name)
      const taken = new Set(others.map((other) => other.sshPort))
      const resumed = await this.#runner.launch(name, kept, { accelerator: await this.accelerator(), taken, signal: whole })
      return { resumed, boots: !resumed }
    })
    const look = async () => {
      const info = await this.#need(name)
      return { running: info.power === 'Running', sshPort: info.sshPort, accelerator: info.launched?.accelerator ?? 'tcg' }
    }
    await this.#runner.untilReachable(name, look, { boots: launch.boots, signal })
    return { ...(await this.#need(name)), resumed: launch.resumed }
  }

  /** Presses the power button and waits; what does not end within a minute, or with `hard`, is cut off. */
  async stop(name: string, options: { hard?: boolean; signal?: AbortSignal } = {}): Promise<void> {
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      await this.#discardMemory(paths, kept)
      if (!options.hard && (await findQemu(paths.folder, kept.uuid))) {
        const pressed = await this.#runner
          .withQmp(paths, (qmp) => qmp.execute('system_powerdown'), options.signal)
          .then(
            () => true,
            () => false,
          )
        const { clock } = this.#options
        if (pressed && (await untilEnded(paths.folder, kept.uuid, { clock, ms: SHUTDOWN_MS, signal: options.signal })))
          return this.#runner.clearSockets(paths)
      }
      await this.#runner.kill(name, kept)
    })
  }

  /** Writes its memory into its disk and ends QEMU. */
  async suspend(name: string, signal?: AbortSignal): Promise<void> {
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      if (kept.suspended) return
      if (!(await findQemu(paths.folder, kept.uuid))) throw alreadyOff(name, 'suspended')
      using qmp = await this.#runner.connect(paths, signal)
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
      await this.#runner.kill(name, kept)
    })
  }

  /** Like the reset button with `hard`, else an orderly restart. */
  async reboot(name: string, options: { hard?: boolean; signal: AbortSignal }): Promise<VirtualInfo> {
    if (!options.hard) await this.stop(name, options)
    else
      await this.#alone(name, async (paths) => {
        const kept = await this.#kept(name)
        if (await findQemu(paths.folder, kept.uuid)) await this.#runner.withQmp(paths, (qmp) => qmp.execute('system_reset'), options.signal)
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
        await this.#runner.withQmp(paths, (qmp) => qmp.execute('balloon', { value: wanted * 2 ** 20 }))
      const restart = running && launched !== null && (wanted > launched.memoryMib || spec.cpus !== launched.cpus)
      return { restart, diskGrew: spec.diskBytes > before.spec.diskBytes }
    })
  }

  /** Leaves nothing of it. */
  async remove(name: string): Promise<void> {
    await this.#alone(name, async (paths) => {
      const kept = await readKept(paths.state)
      if (kept) await this.#runner.kill(name, kept)
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
      await this.#runner
        .withQmp(paths, (qmp) => saveState(qmp, label, signal), signal)
        .catch((error: unknown) => {
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
      if (running && found.memoryBytes > 0) return await this.#runner.withQmp(paths, (qmp) => loadState(qmp, label, signal), signal)
      if (running) await this.#runner.kill(name, kept)
      await this.#discardMemory(paths, kept)
      await offlineSnapshot.apply(join(paths.folder, FILES.disk), label)
    })
  }

  async deleteSnapshot(name: string, label: string, signal?: AbortSignal): Promise<void> {
    if (!(await this.disk(name)).snapshots.some((one) => one.name === label)) throw noSuchSnapshot(name, label)
    await this.#alone(name, async (paths) => {
      const kept = await this.#kept(name)
      if (await findQemu(paths.folder, kept.uuid)) await this.#runner.withQmp(paths, (qmp) => deleteState(qmp, label, signal), signal)
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

  /** The end of what its serial line printed. */
  async log(name: string, bytes?: number): Promise<string> {
    await this.#require(name)
    return await this.#runner.log(name, bytes)
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
        await this.#runner.withQmp(paths, (qmp) => qmp.execute('block_resize', { 'node-name': DISK_NODE, size: spec.diskBytes }))
      else await growDisk(join(paths.folder, FILES.disk), spec.diskBytes)
    }
    const next = { ...kept, spec }
    await writeKept(paths.state, next)
    return next
  }

  /** Forgets the memory of a suspended machine, as when the power goes. */
  async #discardMemory(paths: MachinePaths, kept: Kept): Promise<void> {
    if (!kept.suspended) return
    await offlineSnapshot.delete(join(paths.folder, FILES.disk), SUSPENDED)
    await writeKept(paths.state, { ...kept, suspended: false })
  }

  async #takeAway(paths: MachinePaths): Promise<void> {
    await this.#runner.clearSockets(paths)
    await rm(paths.folder, { recursive: true, force: true })
    const left = await readdir(this.#names.dir).catch(ignore('ENOENT', ['']))
    if (left.length === 0) await rm(this.#names.dir, { recursive: true, force: true })
  }

  #alone<T>(name: string, task: (paths: MachinePaths) => Promise<T>): Promise<T> {
    const paths = this.#names.machine(name)
    let mutex = this.#mutexes.get(name)
    if (!mutex) this.#mutexes.set(name, (mutex = new Mutex()))
    return mutex.run(() => task(paths))
  }

  async #need(name: string): Promise<VirtualInfo> {
    const info = await this.get(name)
    if (!info) throw noSuchMachine(name)
    return info
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

function infoOf(name: string, kept: Kept, running: boolean): VirtualInfo {
  const { address, sshPort, hostKey, spec, launched, suspended } = kept
  return { name, power: running ? 'Running' : suspended ? 'Suspended' : 'Stopped', address, sshPort, hostKey, spec, launched }
}

function ignore<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if (systemCode(error) === code) return value
    throw error
  }
}
