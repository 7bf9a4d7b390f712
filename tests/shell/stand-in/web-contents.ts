/** `webContents` and `ipcMain`: one page of Chromium, its two worlds, and the messages between them and the app. */
import { EventEmitter } from 'node:events'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { messageOf } from '../../../electron/base/errors.ts'
import { deferred } from '../../../electron/base/async.ts'
import type { BrowserWindow } from './browser-window.ts'
import type { Session } from './chromium.ts'
import { cancellable, desk, ignore } from './desk.ts'
import { makeCodec } from './page/codec.mjs'
import { pageScript, preloadScript } from './page/scripts.mjs'
import { inside, outside } from './schemes.ts'
import { session } from './session.ts'
import { nativeTheme } from './native-theme.ts'

const { encode, decode } = makeCodec()

/** From the preload's world. */
type FromPage =
  | { readonly type: 'invoke'; readonly id: number; readonly channel: string; readonly args: string }
  | { readonly type: 'permission'; readonly id: number; readonly permission: string; readonly url: string }
  | { readonly type: 'send'; readonly channel: string; readonly args: string }
  | { readonly type: 'title'; readonly title: string }
  | { readonly type: 'preload-error'; readonly message: string }

type Handler = (event: object, ...args: unknown[]) => unknown

class IpcMain extends EventEmitter {
  readonly handlers = new Map<string, Handler>()

  handle(channel: string, handler: Handler): void {
    if (this.handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    this.handlers.set(channel, handler)
  }

  removeHandler(channel: string): void {
    this.handlers.delete(channel)
  }
}
export const ipcMain = new IpcMain()

type OpenHandler = (details: { url: string; frameName: string; disposition: string }) => { action: 'deny' | 'allow' }

const withoutFragment = (url: string) => url.replace(/#.*/, '')

export class WebContents extends EventEmitter {
  readonly id: number
  readonly session = session.defaultSession
  readonly #window: BrowserWindow
  readonly #preload: string | undefined
  readonly #attached = deferred<Session>()
  readonly #entry = `entry${randomUUID().replaceAll('-', '')}`
  readonly #world = `preload-${randomUUID()}`
  /** Execution context of the preload's world in the document that is shown. */
  #context: number | null = null
  #frameId = ''
  #url = ''
  #title = ''
  #loading = false
  #painted = false
  /** A navigation that the app asked for, which raises no will-navigate. */
  #expected: string | null = null
  #onOpen: OpenHandler | null = null
  #load: { resolve(): void } | null = null

  constructor(window: BrowserWindow, options: { id: number; preload: string | undefined }) {
    super()
    this.#window = window
    this.id = options.id
    this.#preload = options.preload
  }

  getURL = () => this.#url
  getTitle = () => this.#title
  isLoading = () => this.#loading
  isDestroyed = () => this.#window.isDestroyed()

  setWindowOpenHandler(handler: OpenHandler): void {
    this.#onOpen = handler
  }

  /** The page's session, once the window is there. */
  get attached(): Promise<Session> {
    return this.#attached.promise
  }

  async attach(targetId: string): Promise<void> {
    const page = await desk.running.attach(targetId)
    this.#frameId = targetId
    const binding = `post${randomUUID().replaceAll('-', '')}`
    this.#followWorlds(page, binding)
    this.#followDocument(page)
    this.#followNavigation(page)
    const secret = `secret${randomUUID()}`
    const facts = { platform: process.platform, arch: process.arch, type: 'renderer', sandboxed: true, contextIsolated: true, versions: {} }
    const setup = { secret, binding, entry: this.#entry, process: facts }
    const preload = this.#preload === undefined ? '' : readFileSync(this.#preload, 'utf8')
    // Sent in one burst: the order is kept, so the first navigation finds everything in place.
    await Promise.all([
      page.send('Page.enable'),
      page.send('Runtime.enable'),
      page.send('Log.enable'),
      page.send('Page.setLifecycleEventsEnabled', { enabled: true }),
      page.send('Runtime.addBinding', { name: binding, executionContextName: this.#world }),
      page.send('Page.addScriptToEvaluateOnNewDocument', { source: pageScript(secret) }),
      page.send('Page.addScriptToEvaluateOnNewDocument', { source: preloadScript(setup, preload), worldName: this.#world }),
      page.send('Fetch.enable', { patterns: [{ urlPattern: '*', resourceType: 'Document' }] }),
      this.#emulateTheme(page),
    ])
    this.#attached.resolve(page)
  }

  async applyTheme(): Promise<void> {
    await this.#emulateTheme(await this.attached)
  }

  send(channel: string, ...args: unknown[]): void {
    this.#post({ type: 'message', channel, args: encode(args) })
  }

  async loadURL(url: string): Promise<void> {
    this.#loading = true
    const target = inside(new URL(url).href)
    const page = await this.attached
    this.#expected = withoutFragment(target)
    const loaded = new Promise<void>((resolve) => (this.#load = { resolve }))
    const { errorText, loaderId } = await page.send('Page.navigate', { url: target })
    if (errorText) {
      this.#loading = false
      throw new Error(`${errorText} loading '${url}'`)
    }
    if (loaderId) await loaded
  }

  reload(): void {
    this.#loading = true
    this.#expected = withoutFragment(inside(this.#url))
    this.attached.then((page) => page.send('Page.reload')).catch(ignore)
  }

  forcefullyCrashRenderer(): void {
    this.attached.then((page) => page.send('Page.crash')).catch(ignore)
  }

  async executeJavaScript(code: string): Promise<unknown> {
    const page = await this.attached
    const { result, exceptionDetails } = await page.send('Runtime.evaluate', {
      expression: code,
      awaitPromise: true,
      returnByValue: true,
      // As in Electron, what is evaluated is bound by the page's policy.
      allowUnsafeEvalBlockedByCSP: false,
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  #emulateTheme(page: Session): Promise<unknown> {
    const value = nativeTheme.shouldUseDarkColors ? 'dark' : 'light'
    return page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
  }

  #followWorlds(page: Session, binding: string): void {
    page.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name === this.#world && context.auxData?.['frameId' as never] === this.#frameId) this.#context = context.id
    })
    page.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      if (this.#context === executionContextId) this.#context = null
    })
    page.on('Runtime.executionContextsCleared', () => (this.#context = null))
    page.on('Runtime.bindingCalled', ({ name, payload, executionContextId }) => {
      if (name === binding && executionContextId === this.#context) void this.#take(JSON.parse(payload) as FromPage, executionContextId)
    })
  }

  #followDocument(page: Session): void {
    const log = (level: string, message: string) => this.emit('console-message', { level, message })
    page.on('Runtime.consoleAPICalled', ({ type, args }) => log(type, args.map((arg) => String(arg.value ?? arg.description)).join(' ')))
    page.on('Log.entryAdded', ({ entry }) => log(entry.level, entry.text))
    page.on('Runtime.exceptionThrown', ({ exceptionDetails: { exception, text } }) => log('error', exception?.description ?? text))
    page.on('Page.frameNavigated', ({ frame }) => {
      if (frame.parentId) return
      this.#url = outside(frame.unreachableUrl ?? `${frame.url}${frame.urlFragment ?? ''}`)
      this.emit('did-navigate', {}, this.#url, 200, 'OK')
    })
    page.on('Page.navigatedWithinDocument', ({ frameId, url }) => {
      if (frameId !== this.#frameId) return
      this.#url = outside(url)
      this.emit('did-navigate-in-page', {}, this.#url, true)
    })
    page.on('Page.loadEventFired', () => {
      if (this.#url === 'about:blank') return
      this.#loading = false
      this.#load?.resolve()
      this.emit('did-finish-load')
    })
    page.on('Page.lifecycleEvent', ({ frameId, name }) => {
      if (frameId !== this.#frameId || name !== 'firstContentfulPaint' || this.#painted) return
      this.#painted = true
      this.#window.emit('ready-to-show')
    })
    page.on('Inspector.targetCrashed', () => {
      this.#context = null
      this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 })
    })
  }

  #followNavigation(page: Session): void {
    page.on('Fetch.requestPaused', ({ requestId, request, frameId, redirectedRequestId }) => {
      const ours = frameId === this.#frameId && !redirectedRequestId && this.#expected === withoutFragment(request.url)
      if (ours) this.#expected = null
      const stop = !ours && frameId === this.#frameId && !this.#mayNavigate(outside(request.url))
      const reply = stop
        ? page.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
        : page.send('Fetch.continueRequest', { requestId })
      reply.catch(ignore)
    })
    // Schemes that Chromium does not fetch pause no request.
    page.on('Page.frameRequestedNavigation', ({ frameId, url }) => {
      if (frameId === this.#frameId && !/^(https?|file|data|about|blob|javascript):/.test(url)) this.#mayNavigate(outside(url))
    })
    // The window that Chromium opened for it was closed while still paused.
    page.on('Page.windowOpen', ({ url, windowName }) => {
      this.#onOpen?.({ url: outside(url), frameName: windowName, disposition: 'foreground-tab' })
    })
  }

  #mayNavigate(url: string): boolean {
    const event = cancellable({ url, isMainFrame: true, isSameDocument: false })
    this.emit('will-navigate', event, url)
    return !event.defaultPrevented
  }

  async #take(message: FromPage, context: number): Promise<void> {
    switch (message.type) {
      case 'title':
        if (message.title) this.#title = message.title
        return
      case 'preload-error':
        this.emit('preload-error', {}, this.#preload, new Error(message.message))
        return
      case 'send':
        ipcMain.emit(message.channel, this.#event(), ...(decode(message.args) as unknown[]))
        return
      case 'invoke':
      case 'permission':
        this.#post({ type: 'reply', id: message.id, ...(await this.#answer(message)) }, context)
    }
  }

  async #answer(message: Extract<FromPage, { id: number }>): Promise<{ ok: boolean; value: string }> {
    try {
      if (message.type === 'permission')
        return { ok: true, value: encode(await this.session.decide(this, message.permission, message.url)) }
      const handler = ipcMain.handlers.get(message.channel)
      if (!handler) throw new Error(`No handler registered for '${message.channel}'`)
      return { ok: true, value: encode(await handler(this.#event(), ...(decode(message.args) as unknown[]))) }
    } catch (error) {
      return { ok: false, value: encode(new Error(error instanceof Error ? String(error) : messageOf(error))) }
    }
  }

  #event(): object {
    const url = this.#url
    const senderFrame = { url, origin: /^[^:]+:\/\/[^/]*/.exec(url)?.[0] ?? 'null', parent: null }
    return { sender: this, senderFrame, frameId: this.id, processId: 1, ports: [] }
  }

  #post(message: object, context = this.#context): void {
    if (context === null) return
    const expression = `${this.#entry}(${JSON.stringify(JSON.stringify(message))})`
    this.attached.then((page) => page.send('Runtime.evaluate', { contextId: context, expression })).catch(ignore)
  }
}
