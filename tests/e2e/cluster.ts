/** A cluster as a user has one: the built program with machines made on this computer, and kubectl. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { build } from '../../scripts/build.ts'
import { builtApp, type BuiltApp } from '../shell/built-app.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Ready {
  readonly server: string
  readonly kubeconfig: string
  readonly nodes: readonly string[]
  /** With its one-time token. */
  readonly ui: string
}

export function run(
  command: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string>; timeout?: number } = {},
) {
  return new Promise<Ran>((resolve) => {
    const { input, env, timeout = 120_000 } = options
    const settings = { timeout, maxBuffer: 64 << 20, env: { ...process.env, ...env } }
    const child = execFile(command, args, settings, (error, out, err) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0
      resolve({ code, out, err: error && error.killed ? `${err}\nended after ${timeout} ms` : err })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input ?? '')
  })
}

/** Asks until the answer is true-like. */
export async function until<T>(what: string, look: () => Promise<T> | T, patience = 60_000): Promise<NonNullable<Exclude<T, false>>> {
  let last: unknown
  for (const end = performance.now() + patience; performance.now() < end; await wait(200)) {
    try {
      const found = await look()
      if (found) return found as NonNullable<Exclude<T, false>>
      last = undefined
    } catch (error) {
      last = error
    }
  }
  throw new Error(`not so within ${patience / 1000} s: ${what}`, { cause: last })
}

/** The built program and a state folder; nothing runs yet. */
export class App implements AsyncDisposable {
  readonly stateDir: string
  readonly #built: BuiltApp
  readonly #dir: string
  #process: ChildProcess | null = null
  #ready: Ready | null = null
  #said = ''

  private constructor(built: BuiltApp, dir: string) {
    this.#built = built
    this.#dir = dir
    this.stateDir = join(dir, 'state')
  }

  static async create(): Promise<App> {
    await build(['agent', 'descriptions'])
    return new App(await builtApp(), await mkdtemp(join(tmpdir(), 'flotilla-e2e-')))
  }

  /** What the running app said when it was ready. */
  get ready(): Ready {
    if (!this.#ready) throw new Error('the app does not run')
    return this.#ready
  }

  /** What the app has printed for people. */
  get said(): string {
    return this.#said
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** `flotilla up` with the UI; resolves when it says that it is ready. */
  async up(nodes: number): Promise<Ready> {
    const words = ['up', '--nodes', String(nodes), '--provider', 'sandbox', '--ui', '--yes', '--state', this.stateDir]
    const child = spawn(process.execPath, [this.#built.flotilla, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    child.stderr.on('data', (chunk) => (this.#said += String(chunk)))
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue
      this.#ready = JSON.parse(line) as Ready
      return this.#ready
    }
    throw new Error(`the app ended before it was ready:\n${this.#said}`)
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process
    if (!child) return null
    this.#process = null
    this.#ready = null
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    return child.exitCode
  }

  /** The command line on this app's state. */
  flotilla(...args: string[]): Promise<Ran> {
    return run(process.execPath, this.words(...args))
  }

  /** What Node is to run for a command on this app's state. */
  words(...args: string[]): string[] {
    return [this.#built.flotilla, ...args, '--state', this.stateDir]
  }

  kubectl(...args: string[]): Promise<Ran> {
    return run('kubectl', ['--kubeconfig', this.ready.kubeconfig, ...args])
  }

  /** What kubectl prints; it must succeed. */
  async kube(...args: string[]): Promise<string> {
    const { code, out, err } = await this.kubectl(...args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${err}${out}`)
    return out
  }

  async apply(manifest: string): Promise<string> {
    const { code, out, err } = await run('kubectl', ['--kubeconfig', this.ready.kubeconfig, 'apply', '-f', '-'], { input: manifest })
    if (code !== 0) throw new Error(err)
    return out
  }

  /** `kubectl get … -o json`. */
  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kube('get', ...args, '-o', 'json')) as T
  }

  /** Takes the machines away again, and everything else. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGTERM')
    const { code, err } = await this.flotilla('down', '--yes')
    await rm(this.#dir, { recursive: true, force: true })
    await this.#built[Symbol.asyncDispose]()
    if (code !== 0) throw new Error(`flotilla down: ${err}`)
  }
}
