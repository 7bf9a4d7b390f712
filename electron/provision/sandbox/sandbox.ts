/**
 * Light nodes on this computer, made of namespaces. A sandbox belongs to no process of the app: it outlives it, and is found again
 * by its folder. Everything of it lies in that folder, its control groups, its link, and the namespaces that end with its PID 1.
 */
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { Mutex } from '../../base/async.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, systemCode } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { newKeyPair } from '../ssh/keygen.ts'
import { hierarchies, makeGroups, removeGroups } from './cgroups.ts'
import { enterScript, INIT_PATH, INIT_SCRIPT, setupScript } from './init.ts'
import { checkName, sandboxNames, type SandboxNames } from './names.ts'
import { SandboxNetwork } from './network.ts'
import { isAlive, parseProcessId, type ProcessId } from './process.ts'
import { makeMountPoint, makeRoot, resolvConf, sharedPaths } from './root.ts'
import { CLEAN_ENV } from './run.ts'
import { formatIpv4, parseNetwork, type Network } from './subnet.ts'
import { sandboxSupport } from './support.ts'

export interface SandboxesOptions {
  readonly stateDir: string
  readonly clock: Clock
  readonly random: Random
  /** "ssh-ed25519 AAAA…": may sign in as root. */
  readonly authorizedKey: string
  /** The Node binary of this architecture, shown read-only at `RUNTIME_PATH`; absent: it is copied like to any machine. */
  readonly runtime?: string
  /** Lets sandboxes reach other networks through this computer, if it has a route; turns on forwarding here. Absent: yes. */
  readonly egress?: boolean
}

export interface SandboxInfo {
  readonly name: string
  readonly address: string
  /** "ssh-ed25519 AAAA…" */
  readonly hostKey: string
  /** Bytes; absent: no limit. */
  readonly memoryBytes?: number
  readonly running: boolean
}

/** What is kept in `machine.json`. */
interface Kept {
  address: string
  hostKey: string
  privateHostKey: string
  machineId: string
  memoryBytes?: number
}

/** Where the runtime is in a sandbox. */
const RUNTIME_PATH = 'opt/flotilla/bin/node'
const SSH_PORT = 22
/** Milliseconds for its SSH server to answer. */
const START_PATIENCE = 20_000

export class Sandboxes {
  readonly #options: SandboxesOptions
  readonly #names: SandboxNames
  readonly #network: SandboxNetwork
  /** Addresses and the bridge are handed out one at a time. */
  readonly #mutex = new Mutex()

  constructor(options: SandboxesOptions) {
    this.#options = options
    this.#names = sandboxNames(options.stateDir)
    this.#network = new SandboxNetwork(this.#names, { egress: options.egress ?? true })
  }

  /** All that exist, running or not, by name. */
  async list(): Promise<SandboxInfo[]> {
    const entries = await readdir(this.#names.dir, { withFileTypes: true }).catch(ignore('ENOENT', []))
    const infos = await Promise.all(entries.filter((entry) => entry.isDirectory()).map((entry) => this.get(entry.name)))
    return infos.filter((info) => info !== null)
  }

  async get(name: string): Promise<SandboxInfo | null> {
    const kept = await this.#read(name)
    if (!kept) return null
    const { address, hostKey, memoryBytes } = kept
    const running = (await this.#process(name)) !== null
    return { name, address, hostKey, running, ...(memoryBytes === undefined ? {} : { memoryBytes }) }
  }

  /**
   * Makes a sandbox and starts it; one that exists is only started. Its SSH server answers when this resolves. Throws
   * MISSING_REQUIREMENT or UNSUPPORTED if this computer cannot, ADDRESS_IN_USE without a free network, SSH_UNREACHABLE if something
   * on this computer keeps it from being reached, INTERNAL with the step that failed; a sandbox that did not come up is taken away again if this call made it.
   */
  async create(name: string, options: { memoryBytes?: number; signal?: AbortSignal } = {}): Promise<SandboxInfo> {
    const lacks = await sandboxSupport()
    if (lacks) throw lacks
    const made = await this.#mutex.run(() => this.#allocate(name, options.memoryBytes))
    try {
      return await this.start(name, options.signal)
    } catch (error) {
      if (made) await this.remove(name).catch(() => undefined)
      throw error
    }
  }

  /** Starts one that does not run; completes one whose start was cut short. */
  async start(name: string, signal?: AbortSignal): Promise<SandboxInfo> {
    const kept = await this.#read(name)
    if (!kept) throw notFound(name)
    const running = await this.#process(name)
    const pid = running?.pid ?? (await this.#launch(name, kept, signal))
    await this.#mutex.run(() => this.#network.attach(name, pid, kept.address))
    await this.#untilReachable(name, kept.address, signal)
    return { name, address: kept.address, hostKey: kept.hostKey, running: true, ...memoryOf(kept) }
  }

  /** Ends everything in it at once, as when the power goes. */
  async stop(name: string): Promise<void> {
    const running = await this.#process(name)
    if (running) {
      process.kill(running.pid, 'SIGKILL')
      await this.#untilDead(name, running)
    }
    await this.#network.detach(name)
    await removeGroups(await hierarchies(), `${this.#names.cgroup}/${checkName(name)}`, this.#options.clock)
    await rm(this.#pidFile(name), { force: true })
  }

  async reboot(name: string, signal?: AbortSignal): Promise<SandboxInfo> {
    await this.stop(name)
    return await this.start(name, signal)
  }

  /** Leaves nothing of it. With the last one, the bridge goes too. */
  async remove(name: string): Promise<void> {
    await this.stop(name)
    const folder = this.#names.folder(name)
    await this.#requireUnmounted(folder)
    await rm(folder, { recursive: true, force: true })
    await this.#mutex.run(async () => {
      if ((await this.list()).length > 0) return
      await this.#network.remove()
      await removeGroups(await hierarchies(), this.#names.cgroup, this.#options.clock)
      await rm(this.#names.dir, { recursive: true, force: true })
    })
  }

  /** Picks an address and writes the sandbox down; false if it exists. */
  async #allocate(name: string, memoryBytes: number | undefined): Promise<boolean> {
    if (await this.#read(name)) return false
    await mkdir(this.#names.folder(name), { recursive: true, mode: 0o700 })
    const subnet = await this.#network.ensure()
    const pair = newKeyPair(this.#options.random, name)
    const kept: Kept = {
      address: freeAddress(subnet, await this.list()),
      hostKey: pair.publicText,
      privateHostKey: pair.privateText,
      machineId: Buffer.from(this.#options.random.bytes(16)).toString('hex'),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    }
    const file = join(this.#names.folder(name), 'machine.json')
    await writeFile(`${file}.new`, JSON.stringify(kept), { mode: 0o600 })
    await rename(`${file}.new`, file)
    return true
  }

  async #launch(name: string, kept: Kept, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted()
    const folder = this.#names.folder(name)
    const root = join(folder, 'root')
    await this.#requireUnmounted(folder)
    const all = await hierarchies()
    const groups = await makeGroups(all, this.#names.cgroup, name, memoryOf(kept))
    const shared = await sharedPaths()
    const shell = await stat('/bin/bash').then(
      () => '/bin/bash',
      () => '/bin/sh',
    )
    const { authorizedKey, runtime } = this.#options
    await makeRoot(
      root,
      {
        name,
        address: kept.address,
        authorizedKey,
        hostKey: kept.privateHostKey,
        machineId: kept.machineId,
        resolvConf: await resolvConf(),
        shell,
      },
      shared,
    )
    await writeFile(join(root, INIT_PATH), INIT_SCRIPT, { mode: 0o755 })
    const files = runtime === undefined ? [] : [{ from: runtime, to: RUNTIME_PATH }]
    for (const { to } of files) await makeMountPoint(join(root, to), false)
    const setup = setupScript({ name, root, pidFile: this.#pidFile(name), shared, hierarchies: all, files })
    return await spawnDetached(enterScript(groups, setup), name)
  }

  async #process(name: string): Promise<ProcessId | null> {
    const id = parseProcessId(await readFile(this.#pidFile(name), 'utf8').catch(ignore('ENOENT', '')))
    return id && (await isAlive(id)) ? id : null
  }

  async #untilDead(name: string, id: ProcessId): Promise<void> {
    for (let waited = 0; await isAlive(id); waited += 10) {
      if (waited > 10_000) throw broken(name, 'It did not end within 10 seconds of being killed.')
      await sleep(this.#options.clock, 10)
    }
  }

  async #untilReachable(name: string, address: string, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const start = clock.monotonic()
    for (;;) {
      const failure = await reach(address)
      if (failure === null) return
      if (!(await this.#process(name))) throw broken(name, `It ended at once: ${await this.#lastWords(name)}`)
      if (clock.monotonic() - start > START_PATIENCE) {
        if (failure === 'ECONNREFUSED') throw broken(name, `Its SSH server does not start: ${await this.#lastWords(name)}`)
        throw cutOff(name, address)
      }
      await sleep(clock, 20, signal)
    }
  }

  async #lastWords(name: string): Promise<string> {
    const log = await readFile(join(this.#names.folder(name), 'root/var/log/sandbox.log'), 'utf8').catch(ignore('ENOENT', ''))
    return log.trim().split('\n').slice(-3).join('; ') || 'it left no message.'
  }

  /** Deleting through a mount would delete what is mounted: this computer's own programs. */
  async #requireUnmounted(folder: string): Promise<void> {
    const mounts = await readFile('/proc/self/mountinfo', 'utf8')
    const real = await realpath(folder).catch(ignore('ENOENT', folder))
    const inside = mounts.split('\n').find((line) => line.split(' ')[4]?.startsWith(`${real}/`))
    if (!inside) return
    throw new FlotillaError('INTERNAL', {
      what: `The folder ${folder} cannot be used.`,
      why: `Something is mounted in it: ${inside.split(' ')[4]}.`,
      next: 'Unmount it, then try again.',
    })
  }

  async #read(name: string): Promise<Kept | null> {
    const text = await readFile(join(this.#names.folder(name), 'machine.json'), 'utf8').catch(ignore('ENOENT', null))
    return text === null ? null : (JSON.parse(text) as Kept)
  }

  #pidFile(name: string): string {
    return join(this.#names.folder(name), 'pid')
  }
}

/** Starts the script in a session of its own and returns PID 1's number here, once the sandbox's root is built. */
async function spawnDetached(script: string, name: string): Promise<number> {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: CLEAN_ENV, cwd: '/' })
  child.unref()
  let errors = ''
  let pid: number | null = null
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const found = /^pid (\d+)$/.exec(line)
      if (found) pid = Number(found[1])
      else if (line === 'ready' && pid !== null) return pid
      else errors += `${line}\n`
    }
    throw broken(name, `${errors.trim() || 'Its first script ended without a word'}.`)
  } finally {
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

/** null if something listens on its SSH port, else the code of what was in the way. */
function reach(host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: SSH_PORT, timeout: 1000 })
    const done = (failure: string | null) => {
      socket.destroy()
      resolve(failure)
    }
    socket.once('connect', () => done(null))
    socket.once('error', (error) => done(systemCode(error) ?? 'EIO'))
    socket.once('timeout', () => done('ETIMEDOUT'))
  })
}

function freeAddress(subnet: Network, others: readonly SandboxInfo[]): string {
  const taken = new Set(others.map((other) => parseNetwork(other.address).base))
  for (let host = 2; host < 255; host++) if (!taken.has(subnet.base + host)) return formatIpv4(subnet.base + host)
  throw new FlotillaError('ADDRESS_IN_USE', {
    what: 'There are too many machines on this computer.',
    why: 'All 253 addresses of their network are given out.',
    next: 'Remove one that is not needed.',
  })
}

const memoryOf = ({ memoryBytes }: Kept) => (memoryBytes === undefined ? {} : { memoryBytes })

function ignore<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if (systemCode(error) === code) return value
    throw error
  }
}

function notFound(name: string): FlotillaError {
  return new FlotillaError('MACHINE_NOT_FOUND', {
    what: `There is no machine "${name}" on this computer.`,
    why: 'Its folder is gone.',
    next: 'Remove it from the cluster and add it anew.',
  })
}

function cutOff(name: string, address: string): FlotillaError {
  return new FlotillaError('SSH_UNREACHABLE', {
    what: `Could not reach the machine "${name}" on this computer.`,
    why: `It runs, but the network between it and this computer is cut: nothing comes back from ${address}.`,
    next: `Look whether a firewall or a VPN of this computer holds back traffic to ${address}.`,
  })
}

function broken(name: string, why: string): FlotillaError {
  return new FlotillaError('INTERNAL', {
    what: `The machine "${name}" on this computer did not come up.`,
    why,
    next: 'Try again; if it stays, look whether something else on this computer limits namespaces or control groups.',
  })
}
