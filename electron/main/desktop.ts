/** The desktop around the plane: windows, menu, tray, notifications, what the system tells, and the relay between pages and plane. */
import { join } from 'node:path'
import { app, dialog, Menu, powerMonitor } from 'electron'
import type { Clock } from '../base/clock.ts'
import { createCaller } from '../contracts/caller.ts'
import { CHANNELS } from '../contracts/channels.ts'
import { IPC, type DesktopChange, type DesktopState } from '../contracts/shell.ts'
import type { PlaneHost } from '../plane/host.ts'
import type { Locations } from '../plane/locations.ts'
import { Alerts } from './alerts.ts'
import { serveApp } from './app-protocol.ts'
import { requestsIn } from './deep-link.ts'
import { readSettings, saveSettings, type DesktopSettings } from './desktop-settings.ts'
import { findUpdates } from './find-updates.ts'
import { answerPages } from './ipc.ts'
import { loginItem } from './login-item.ts'
import { LARGEST, readManifest } from './manifests.ts'
import { buildMenu } from './menu.ts'
import { Notifier } from './notify.ts'
import { StatusEntry } from './status-entry.ts'
import { languageFrom, translator, type Language, type Translate } from './texts/texts.ts'
import type { Updates } from './updates.ts'
import { Windows } from './windows.ts'
import { guardSession } from './window.ts'

interface DesktopOptions {
  readonly places: Locations
  readonly clock: Clock
  /** The plane that runs at the moment. */
  readonly plane: () => PlaneHost
  /** Ends the plane, then calls what it is given in the place of quitting. */
  readonly quit: (instead?: () => void) => void
}

export class Desktop {
  readonly #options: DesktopOptions
  readonly #notifier = new Notifier()
  readonly #settingsFile = join(app.getPath('userData'), 'desktop.json')
  readonly #login = loginItem()
  readonly #windows: Windows
  readonly #status: StatusEntry
  readonly #updates: Updates
  readonly #alerts: Alerts
  #settings: DesktopSettings
  #text: Translate
  #toldOfTray = false

  /** The app must be ready. */
  constructor(options: DesktopOptions) {
    const { places, clock } = options
    this.#options = options
    this.#settings = readSettings(this.#settingsFile)
    this.#text = translator(this.#settings.language ?? languageFrom([app.getLocale()]))
    const preload = join(import.meta.dirname, '../preload/index.cjs')
    this.#windows = new Windows({ preload, file: join(app.getPath('userData'), 'windows.json'), clock, text: () => this.#text })
    const actions = { show: () => void this.#windows.show(), send: this.#windows.send.bind(this.#windows), quit: () => app.quit() }
    this.#status = new StatusEntry(places.resourcesDir, actions, this.#text)
    this.#updates = findUpdates(clock, () => this.#tellState())
    this.#alerts = new Alerts(clock, (alert) => {
      if (this.#settings.notifications) this.#notifier.alert(alert, this.#text, (route) => this.#windows.request({ type: 'page', route }))
    })
    serveApp(places.rendererDir)
    guardSession()
    this.#answerPages()
    this.#followSystem()
    this.#drawMenu()
  }

  get text(): Translate {
    return this.#text
  }

  /** Whether the app lives on without a window. */
  get hasTray(): boolean {
    return this.#status.hasTray
  }

  get notifier(): Notifier {
    return this.#notifier
  }

  /** Without a window where the session started it. */
  begin(hidden: boolean): void {
    if (!hidden || !this.hasTray) this.#windows.restore()
  }

  show(): void {
    this.#windows.show()
  }

  /** Follows a plane that was just started. */
  follow(plane: PlaneHost): void {
    this.#status.update(null)
    this.#alerts.hush()
    plane.health.on((health) => {
      this.#status.update(health)
      this.#alerts.take(health)
    })
  }

  planeRestarted(why: string): void {
    this.#notifier.notify(this.#text('plane.restarted'), why)
    this.#windows.broadcast(IPC.notice, 'plane-restarted')
  }

  /** The last window was closed. */
  stay(): void {
    if (!this.#toldOfTray) this.#notifier.notify(this.#text('about.running.title'), this.#text('about.running'))
    this.#toldOfTray = true
  }

  /** Shows what links and files on a command line ask for; true if there was anything. */
  open(argv: readonly string[]): boolean {
    const { routes, files } = requestsIn(argv)
    for (const route of routes) this.#windows.request({ type: 'page', route })
    for (const file of files) void this.#openManifest(file)
    return routes.length + files.length > 0
  }

  remember(): void {
    this.#windows.remember()
  }

  async #openManifest(path: string): Promise<void> {
    const read = await readManifest(path)
    if (read.type !== 'refused') return this.#windows.request(read)
    const message = this.#text(read.key, { name: read.name, n: LARGEST })
    await dialog.showMessageBox({ type: 'warning', message: this.#text('file.why'), detail: message, buttons: [this.#text('hung.close')] })
  }

  #answerPages(): void {
    answerPages({
      connect: () => this.#options.plane().connect(),
      text: () => this.#text,
      speak: (language) => this.#speak(language),
      state: () => this.#state(),
      change: (change) => this.#change(change),
      update: (action) => {
        if (action === 'check') void this.#updates.check()
        else if (this.#updates.state.phase === 'ready') this.#options.quit(() => this.#updates.install())
      },
    })
  }

  #followSystem(): void {
    powerMonitor.on('resume', () => {
      this.#alerts.hush()
      void poke(this.#options.plane())
    })
    // The system waits for who prevents this, for some seconds: enough to close the store in order.
    powerMonitor.on('shutdown', (event?: { preventDefault(): void }) => {
      event?.preventDefault()
      app.quit()
    })
    app.on('child-process-gone', (_event, { type, reason, exitCode }) => {
      if (reason !== 'clean-exit')
        process.stderr.write(`flotilla: the process ${type} ended: ${reason} (${exitCode}); the cluster goes on\n`)
    })
  }

  #drawMenu(): void {
    const actions = { send: this.#windows.send.bind(this.#windows), newWindow: () => void this.#windows.open() }
    Menu.setApplicationMenu(buildMenu(actions, this.#text))
    app.dock?.setMenu(Menu.buildFromTemplate([{ label: this.#text('menu.newWindow'), click: actions.newWindow }]))
  }

  #speak(language: Language): void {
    if (this.#settings.language === language) return
    this.#settings = { ...this.#settings, language }
    saveSettings(this.#settingsFile, this.#settings)
    this.#text = translator(language)
    this.#status.speak(this.#text)
    this.#drawMenu()
  }

  #state(): DesktopState {
    return { notifications: this.#settings.notifications, openAtLogin: this.#login.get(), update: this.#updates.state }
  }

  #change({ notifications, openAtLogin }: DesktopChange): void {
    if (openAtLogin !== undefined) this.#login.set(openAtLogin)
    if (notifications !== undefined) {
      this.#settings = { ...this.#settings, notifications }
      saveSettings(this.#settingsFile, this.#settings)
    }
    this.#tellState()
  }

  #tellState(): void {
    this.#windows.broadcast(IPC.desktop, this.#state())
  }
}

/** Links to machines are tried at once instead of when their back-off says so. */
async function poke(plane: PlaneHost): Promise<void> {
  try {
    await plane.ready
    using caller = createCaller(plane.connect(), CHANNELS)
    await caller.call('machines.poke', { reason: 'resume' })
  } catch {
    // A plane that ends just now connects anew anyway.
  }
}
