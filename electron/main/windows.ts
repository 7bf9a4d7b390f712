/** All windows: opened where they were, and told what to show. */
import type { BrowserWindow, WebContents } from 'electron'
import type { Clock } from '../base/clock.ts'
import { IPC, type MenuCommand, type OpenRequest } from '../contracts/shell.ts'
import type { Translate } from './texts/texts.ts'
import { mendFaults } from './window-faults.ts'
import { DEFAULT_PLACE } from './window-bounds.ts'
import { openWindow } from './window.ts'
import { readWindows, saveWindows, type KeptWindow } from './windows-file.ts'

/** Pixels between a window and the next that is opened from it. */
const CASCADE = 32

export class Windows {
  readonly #preload: string
  readonly #file: string
  readonly #clock: Clock
  readonly #text: () => Translate
  /** The window that was used last is the last one. */
  #open: BrowserWindow[] = []
  #remembering = true

  constructor(options: { preload: string; file: string; clock: Clock; text: () => Translate }) {
    this.#preload = options.preload
    this.#file = options.file
    this.#clock = options.clock
    this.#text = options.text
  }

  /** Opens those of last time, or one. */
  restore(): void {
    const kept = readWindows(this.#file)
    if (kept.length === 0) this.open()
    for (const window of kept) this.open(window)
  }

  /** Brings the window that was used last to the front, or opens those of last time. */
  show(): BrowserWindow {
    if (this.#open.length === 0) this.restore()
    const window = this.#open.at(-1) as BrowserWindow
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
    return window
  }

  /** Beside the one in use where no place is given. */
  open(kept?: KeptWindow): BrowserWindow {
    const { route, ...place } = kept ?? this.#beside()
    const window = openWindow({ preload: this.#preload, place, route })
    mendFaults(window, { clock: this.#clock, text: this.#text })
    this.#open.push(window)
    window.on('focus', () => {
      this.#open = [...this.#open.filter((each) => each !== window), window]
    })
    window.on('close', () => this.#forget(window))
    window.on('closed', () => {
      this.#open = this.#open.filter((each) => each !== window)
    })
    return window
  }

  /** To the window in use; one is opened where there is none. */
  send(command: MenuCommand): void {
    tell(this.show().webContents, IPC.menu, command)
  }

  request(request: OpenRequest): void {
    tell(this.show().webContents, IPC.open, request)
  }

  /** To every window. */
  broadcast(channel: string, value: unknown): void {
    for (const { webContents } of this.#open) tell(webContents, channel, value)
  }

  /** The app quits: what is open now is opened next time. */
  remember(): void {
    if (!this.#remembering) return
    this.#remembering = false
    if (this.#open.length > 0) saveWindows(this.#file, this.#open.map(describe))
  }

  #forget(window: BrowserWindow): void {
    if (!this.#remembering) return
    const others = this.#open.filter((each) => each !== window)
    // The last one is what a later start begins with.
    saveWindows(this.#file, (others.length > 0 ? others : [window]).map(describe))
  }

  #beside(): KeptWindow {
    const last = this.#open.at(-1)
    if (!last) return { ...DEFAULT_PLACE, route: '/' }
    const { x, y, width, height } = last.getNormalBounds()
    return { x: x + CASCADE, y: y + CASCADE, width, height, maximized: false, route: '/' }
  }
}

function describe(window: BrowserWindow): KeptWindow {
  const route = URL.parse(window.webContents.getURL())?.hash.slice(1) ?? ''
  return { ...window.getNormalBounds(), maximized: window.isMaximized(), route: route.startsWith('/') ? route : '/' }
}

/** The preload keeps it for the page; before there is a preload it waits here. */
function tell(contents: WebContents, channel: string, value: unknown): void {
  const send = () => contents.send(channel, value)
  if (contents.getURL() === '' || contents.isLoading()) contents.once('did-finish-load', send)
  else send()
}
