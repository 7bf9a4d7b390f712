/** `app`: paths, the one instance, and the order of events at start and end. */
import { EventEmitter } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync, type FSWatcher } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import { systemCode } from '../../../electron/base/errors.ts'
import { cancellable, desk, ignore } from './desk.ts'

const home = resolve(process.argv[1] ?? '.')
const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { name: string; productName?: string; version: string }

function switchValue(name: string): string {
  return process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? ''
}

class App extends EventEmitter {
  readonly name = manifest.productName ?? manifest.name
  readonly isPackaged = false
  readonly commandLine = {
    getSwitchValue: switchValue,
    hasSwitch: (name: string) => process.argv.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`)),
  }
  readonly #paths = new Map<string, string>()
  #ready = false
  #lock: { readonly file: string; readonly inbox: FSWatcher } | null = null

  constructor() {
    super()
    for (const name of ['browser-window-focus', 'window-all-closed']) {
      desk.appEvents.on(name, () => {
        if (name === 'window-all-closed' && this.listenerCount(name) === 0) this.quit()
        else this.emit(name)
      })
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => this.quit())
  }

  /** On the dock or task bar. */
  badgeCount = 0

  getLocale(): string {
    return switchValue('lang') || 'en-US'
  }

  setBadgeCount(count: number): boolean {
    this.badgeCount = count
    return true
  }

  getVersion(): string {
    return manifest.version
  }

  getPath(name: string): string {
    const userData = this.#paths.get('userData') ?? (switchValue('user-data-dir') || join(homedir(), '.config', this.name))
    const known: Record<string, string> = { home: homedir(), temp: tmpdir(), userData, sessionData: userData, logs: join(userData, 'logs') }
    const path = this.#paths.get(name) ?? known[name]
    if (path === undefined) throw new Error(`Failed to get '${name}' path`)
    return path
  }

  setPath(name: string, path: string): void {
    if (!existsSync(path)) throw new Error(`Failed to set path: ${path} does not exist`)
    this.#paths.set(name, path)
  }

  isReady(): boolean {
    return this.#ready
  }

  whenReady(): Promise<void> {
    return this.#ready ? Promise.resolve() : new Promise((done) => this.once('ready', () => done()))
  }

  /** Called by the stand-in once the app's main module has been evaluated. */
  becomeReady(): void {
    this.#ready = true
    this.emit('ready', {}, {})
  }

  get quitting(): boolean {
    return desk.quitting
  }

  /** A file with the process's id, and a folder into which later instances drop what they were started with. */
  requestSingleInstanceLock(): boolean {
    if (this.#lock) return true
    const file = join(this.getPath('userData'), 'SingletonLock')
    const inbox = join(this.getPath('userData'), 'SingletonInbox')
    mkdirSync(inbox, { recursive: true })
    if (!takeLock(file)) {
      const message = join(inbox, randomUUID())
      writeFileSync(message, JSON.stringify([process.argv, process.cwd(), {}]))
      renameSync(message, `${message}.json`)
      return false
    }
    const onDrop = () => {
      for (const name of readdirSync(inbox).filter((entry) => entry.endsWith('.json'))) {
        const started = JSON.parse(readFileSync(join(inbox, name), 'utf8')) as unknown[]
        rmSync(join(inbox, name))
        this.emit('second-instance', cancellable(), ...started)
      }
    }
    this.#lock = { file, inbox: watch(inbox, onDrop) }
    return true
  }

  quit(): void {
    if (desk.quitting) return
    desk.quitting = true
    setImmediate(() => void this.#quit())
  }

  async exit(code = 0): Promise<never> {
    desk.quitting = true
    if (this.#lock) {
      this.#lock.inbox.close()
      rmSync(this.#lock.file, { force: true })
    }
    await desk.chromium?.close().catch(ignore)
    process.exit(code)
  }

  async #quit(): Promise<void> {
    const stopped = (name: string) => {
      const event = cancellable()
      this.emit(name, event)
      if (event.defaultPrevented) desk.quitting = false
      return event.defaultPrevented
    }
    if (stopped('before-quit')) return
    for (const window of desk.windows) {
      window.close()
      if (!window.closing) return void (desk.quitting = false)
    }
    await Promise.all([...desk.windows].map((window) => window.gone))
    if (stopped('will-quit')) return
    this.emit('quit', cancellable(), 0)
    await this.exit(0)
  }
}

function takeLock(file: string): boolean {
  for (let tries = 0; tries < 2; tries++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return true
    } catch {
      if (isAlive(Number(readFileSync(file, 'utf8')))) return false
      rmSync(file, { force: true })
    }
  }
  return false
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

export const app = new App()
