/** `BrowserWindow`: a window of Chromium. What it shows is real; whether it is visible, focused, minimised and where is kept in books. */
import { EventEmitter } from 'node:events'
import { deferred } from '../../../electron/base/async.ts'
import { messageOf } from '../../../electron/base/errors.ts'
import { cancellable, desk, ignore } from './desk.ts'
import { nativeTheme } from './native-theme.ts'
import { WebContents } from './web-contents.ts'

interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface WindowOptions extends Partial<Rectangle> {
  readonly show?: boolean
  readonly title?: string
  readonly backgroundColor?: string
  readonly webPreferences?: {
    readonly preload?: string
    readonly nodeIntegration?: boolean
    readonly contextIsolation?: boolean
    readonly sandbox?: boolean
  }
}

let lastId = 0

export class BrowserWindow extends EventEmitter {
  static getAllWindows(): BrowserWindow[] {
    return [...desk.windows]
  }

  static fromWebContents(contents: WebContents): BrowserWindow | null {
    return [...desk.windows].find((window) => window.webContents === contents) ?? null
  }

  readonly id = ++lastId
  readonly webContents: WebContents
  readonly options: WindowOptions
  readonly #closed = deferred<void>()
  #bounds: Rectangle
  #targetId = ''
  #shown: boolean
  #minimized = false
  #maximized = false
  #destroyed = false
  /** Its closing was not prevented. */
  closing = false

  constructor(options: WindowOptions = {}) {
    super()
    if (!desk.chromium) throw new Error('Cannot create BrowserWindow before app is ready')
    const { nodeIntegration = false, contextIsolation = true, sandbox = true, preload } = options.webPreferences ?? {}
    if (nodeIntegration || !contextIsolation || !sandbox)
      throw new Error('the stand-in makes sandboxed windows with an isolated preload only')
    const { x = 0, y = 0, width = 800, height = 600 } = options
    this.options = options
    this.#bounds = { x, y, width, height }
    this.#shown = options.show !== false
    this.webContents = new WebContents(this, { id: this.id, preload })
    desk.windows.add(this)
    if (this.#shown) this.#focus()
    this.#create().catch((error: unknown) => {
      if (!this.closing) process.stderr.write(`[stand-in] window: ${messageOf(error)}\n`)
    })
  }

  /** Resolves when the window is closed. */
  get gone(): Promise<void> {
    return this.#closed.promise
  }

  isVisible = () => this.#shown && !this.#minimized
  isFocused = () => desk.focused === this
  isDestroyed = () => this.#destroyed
  isMinimized = () => this.#minimized
  isMaximized = () => this.#maximized
  getTitle = () => this.webContents.getTitle() || (this.options.title ?? '')
  getNormalBounds = () => this.#bounds
  getBounds = () => this.#bounds
  loadURL = (url: string) => this.webContents.loadURL(url)

  show(): void {
    const was = this.#shown
    this.#shown = true
    if (!was) queueMicrotask(() => this.emit('show'))
    this.#focus()
  }

  hide(): void {
    this.#shown = false
    if (desk.focused === this) desk.focused = null
    queueMicrotask(() => this.emit('hide'))
  }

  focus(): void {
    this.#focus()
  }

  minimize(): void {
    this.#minimized = true
    if (desk.focused === this) desk.focused = null
  }

  restore(): void {
    this.#minimized = false
  }

  maximize(): void {
    this.#maximized = true
  }

  unmaximize(): void {
    this.#maximized = false
  }

  setBounds(bounds: Partial<Rectangle>): void {
    this.#bounds = { ...this.#bounds, ...bounds }
    this.#resize().catch(ignore)
    queueMicrotask(() => this.emit('resize'))
  }

  close(): void {
    if (this.closing || this.#destroyed) return
    const event = cancellable()
    this.emit('close', event)
    if (!event.defaultPrevented) this.destroy()
  }

  destroy(): void {
    if (this.closing) return
    this.closing = true
    this.webContents.attached
      .then(() => desk.running.browser.send('Target.closeTarget', { targetId: this.#targetId }))
      .catch(() => this.#end())
  }

  /** Chromium says that a page is gone. */
  static targetDestroyed(targetId: string): void {
    for (const window of desk.windows) if (window.#targetId === targetId) window.#end()
  }

  async #create(): Promise<void> {
    const { width, height } = this.#bounds
    const place = { left: 0, top: 0, width, height }
    const { targetId } = await desk.running.browser.send('Target.createTarget', { url: 'about:blank', newWindow: true, ...place })
    this.#targetId = targetId
    await this.webContents.attach(targetId)
    await this.#resize()
  }

  async #resize(): Promise<void> {
    const page = await this.webContents.attached
    const { windowId } = await page.send('Browser.getWindowForTarget')
    const { width, height } = this.#bounds
    await page.send('Browser.setContentsSize', { windowId, width, height })
  }

  #focus(): void {
    if (desk.focused === this) return
    desk.focused = this
    queueMicrotask(() => this.emit('focus'))
  }

  #end(): void {
    if (this.#destroyed) return
    if (!this.closing) this.emit('close', cancellable())
    this.closing = true
    this.#destroyed = true
    desk.windows.delete(this)
    if (desk.focused === this) desk.focused = null
    this.webContents.emit('destroyed')
    this.emit('closed')
    this.#closed.resolve()
    if (desk.windows.size === 0 && !desk.quitting) desk.appEvents.emit('window-all-closed')
  }
}

nativeTheme.on('updated', () => {
  for (const window of desk.windows) window.webContents.applyTheme().catch(ignore)
})
