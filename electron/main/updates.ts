/** Newer versions: searched for and loaded by themselves, taken only when the app is quit or the person says so. */
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { UpdateState } from '../contracts/shell.ts'

/** electron-updater, as far as it is used. */
export interface Updater {
  autoDownload: boolean
  autoInstallOnAppQuit: boolean
  allowDowngrade: boolean
  on(event: 'update-available' | 'update-not-available' | 'update-downloaded', listener: (info: { version: string }) => void): unknown
  on(event: 'download-progress', listener: (progress: { percent: number }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  checkForUpdates(): Promise<unknown>
  quitAndInstall(isSilent: boolean, isForceRunAfter: boolean): void
}

type Off = Extract<UpdateState, { phase: 'off' }>

/** Milliseconds until the first search: the start is for other things. */
const FIRST = 60_000
const EVERY = 6 * 3_600_000

export interface UpdatesOptions {
  /** Why there are no updates, if so. */
  readonly off: Off['why'] | null
  readonly load: () => Promise<Updater>
  readonly clock: Clock
  readonly onChange: (state: UpdateState) => void
}

export class Updates implements Disposable {
  readonly #options: UpdatesOptions
  readonly #timers: Disposable[] = []
  #updater: Updater | null = null
  #state: UpdateState

  constructor(options: UpdatesOptions) {
    this.#options = options
    this.#state = options.off ? { phase: 'off', why: options.off } : { phase: 'current' }
    if (options.off) return
    const { clock } = options
    this.#timers.push(
      clock.setTimeout(() => void this.check(), FIRST, { unref: true }),
      clock.setInterval(() => void this.check(), EVERY, { unref: true }),
    )
  }

  get state(): UpdateState {
    return this.#state
  }

  /** Does nothing where updates are off, and while one is loaded or lies ready. */
  async check(): Promise<void> {
    if (!['current', 'failed'].includes(this.#state.phase)) return
    this.#set({ phase: 'checking' })
    try {
      this.#updater ??= this.#prepare(await this.#options.load())
      await this.#updater.checkForUpdates()
    } catch (error) {
      this.#set({ phase: 'failed', why: messageOf(error) })
    }
  }

  /** Ends the app and starts the new one; only where one lies ready. The control plane must have stopped. */
  install(): void {
    if (this.#state.phase === 'ready') this.#updater?.quitAndInstall(false, true)
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]()
  }

  #prepare(updater: Updater): Updater {
    updater.autoDownload = true
    updater.autoInstallOnAppQuit = true
    updater.allowDowngrade = false
    let version = ''
    updater.on('update-available', (info) => {
      version = info.version
      this.#set({ phase: 'loading', version, percent: 0 })
    })
    updater.on('update-not-available', () => this.#set({ phase: 'current' }))
    updater.on('download-progress', ({ percent }) => this.#set({ phase: 'loading', version, percent: Math.floor(percent) }))
    updater.on('update-downloaded', (info) => this.#set({ phase: 'ready', version: info.version }))
    updater.on('error', (error) => this.#set({ phase: 'failed', why: messageOf(error) }))
    return updater
  }

  #set(state: UpdateState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return
    this.#state = state
    this.#options.onChange(state)
  }
}
