/** A cluster of virtual machines as a user has one, by the command line alone. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from '../../scripts/build.ts'
import { run, type Ran, type Ready } from '../e2e/cluster.ts'

const ROOT = join(import.meta.dirname, '../..')
const FLOTILLA = join(ROOT, 'electron/headless/flotilla.ts')
/** Images are named by what they are made of, so that a new one is built only when that changes. */
const IMAGES = join(ROOT, '.cache/machine-images')
const ENV = { FLOTILLA_MACHINE_IMAGES: IMAGES }

/** Why these tests cannot run here; null if they can. */
export function lacking(): string | null {
  const needed = ['/usr/bin/qemu-system-x86_64', '/usr/bin/qemu-img', '/usr/bin/mmdebstrap', '/usr/sbin/mke2fs']
  const missing = needed.filter((file) => !existsSync(file))
  return missing.length ? `needs ${missing.join(', ')}` : null
}

export class VmCluster implements AsyncDisposable {
  readonly stateDir: string
  readonly #dir: string
  #process: ChildProcess | null = null
  #ready: Ready | null = null
  #said = ''

  private constructor(dir: string) {
    this.#dir = dir
    this.stateDir = join(dir, 'state')
  }

  static async create(): Promise<VmCluster> {
    await build(['agent'])
    return new VmCluster(await mkdtemp(join(tmpdir(), 'flotilla-vm-')))
  }

  get ready(): Ready {
    if (!this.#ready) throw new Error('it does not run')
    return this.#ready
  }

  /** `flotilla up --provider qemu`; resolves when it says that it is ready. */
  async up(nodes: number, ...more: string[]): Promise<Ready> {
    const words = ['up', '--provider', 'qemu', '--nodes', String(nodes), '--cpus', '1', '--memory', '640', '--disk', '8', '--yes', ...more]
    const child = spawn(process.execPath, [FLOTILLA, ...words, '--state', this.stateDir], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...ENV },
    })
    this.#process = child
    child.stderr.on('data', (chunk) => (this.#said += String(chunk)))
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue
      this.#ready = JSON.parse(line) as Ready
      return this.#ready
    }
    throw new Error(`it ended before it was ready:\n${this.#said}`)
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  flotilla(...args: string[]): Promise<Ran> {
    return run(process.execPath, [FLOTILLA, ...args, '--state', this.stateDir], { env: ENV, timeout: 600_000 })
  }

  /** What a command prints with --json; it must succeed. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, out, err } = await this.flotilla(...args, '--json')
    if (code !== 0) throw new Error(`flotilla ${args.join(' ')} ended with ${code}: ${err}`)
    return JSON.parse(out) as T
  }

  /** What kubectl prints; it must succeed. */
  async kube(args: readonly string[], input?: string): Promise<string> {
    const words = ['--kubeconfig', this.ready.kubeconfig, ...args]
    const { code, out, err } = await run('kubectl', words, { ...(input === undefined ? {} : { input }), timeout: 300_000 })
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${err}${out}`)
    return out
  }

  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kube(['get', ...args, '-o', 'json'])) as T
  }

  /** Runs a script on a machine itself. */
  guest(name: string, script: string): Promise<Ran> {
    const words = [FLOTILLA, 'node', 'shell', name, '--state', this.stateDir]
    return run(process.execPath, words, { input: `${script}\nexit\n`, env: ENV, timeout: 300_000 })
  }

  /** The process of a machine's QEMU. */
  async pid(name: string): Promise<number> {
    return Number(await readFile(join(this.stateDir, 'vm', name, 'qemu.pid'), 'utf8'))
  }

  /** What is left of machines: folders, and processes that were started in this state folder. */
  async remains(): Promise<string[]> {
    const folders = await readdir(join(this.stateDir, 'vm')).catch(() => [])
    const processes: string[] = []
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      if (line.startsWith('qemu-system') && line.includes(this.stateDir)) processes.push(pid)
    }
    return [...folders, ...processes]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGTERM')
    const { code, err } = await this.flotilla('down', '--yes')
    for (const pid of (await this.remains()).filter((one) => /^\d+$/.test(one))) process.kill(Number(pid), 'SIGKILL')
    await rm(this.#dir, { recursive: true, force: true })
    if (code !== 0) throw new Error(`flotilla down: ${err}`)
  }
}
