/** One Chromium with its DevTools protocol on a pipe (fds 3 and 4). It ends by itself when the pipe closes, so that a killed app leaves none. */
import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { CDPSession } from 'playwright-core'

export interface Session {
  readonly send: CDPSession['send']
  readonly on: CDPSession['on']
}

interface Reply {
  resolve(result: unknown): void
  reject(error: Error): void
  readonly method: string
}

interface Incoming {
  readonly id?: number
  readonly sessionId?: string
  readonly method: string
  readonly params: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

const FLAGS = [
  '--headless',
  '--remote-debugging-pipe',
  // For Playwright, which cannot share the pipe.
  '--remote-debugging-port=0',
  '--no-startup-window',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-proxy-server',
  '--password-store=basic',
  '--use-mock-keychain',
  '--use-fake-device-for-media-stream',
  '--disable-background-networking',
  '--disable-backgrounding-occluded-windows',
  '--disable-breakpad',
  '--disable-component-update',
  '--disable-crash-reporter',
  '--disable-dev-shm-usage',
  '--disable-extensions',
  '--disable-gpu',
  '--disable-popup-blocking',
  '--disable-renderer-backgrounding',
  '--disable-sync',
  '--disable-features=HttpsUpgrades,Translate,MediaRouter,OptimizationHints,GlobalMediaControls,LocalNetworkAccessChecks',
]

export class Chromium {
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  readonly #profile: string
  readonly #replies = new Map<number, Reply>()
  readonly #sessions = new Map<string, EventEmitter>()
  readonly #browser = new EventEmitter()
  readonly #rest: Buffer[] = []
  #last = 0
  #gone = false

  private constructor(profile: string, serverPort: number) {
    this.#profile = profile
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox', '--test-type'] : []
    const hosts = `--host-resolver-rules=MAP *.localhost:80 127.0.0.1:${serverPort}`
    const binary = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
    this.#child = spawn(binary, [...FLAGS, ...sandbox, hosts, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', process.env['STAND_IN_DEBUG'] ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    })
    this.exited = new Promise((resolve) => {
      const end = () => {
        this.#gone = true
        for (const reply of this.#replies.values()) reply.reject(new Error('Chromium has ended'))
        this.#replies.clear()
        resolve()
      }
      this.#child.once('close', end)
      this.#child.once('error', end)
    })
    const ignore = () => undefined
    this.#pipe(3).on('error', ignore)
    this.#pipe(4)
      .on('error', ignore)
      .on('data', (chunk: Buffer) => this.#read(chunk))
    process.once('exit', () => this.#child.kill('SIGKILL'))
  }

  /** `serverPort`: who answers for hosts under `.localhost`. */
  static async start(profile: string, serverPort: number): Promise<Chromium> {
    await rm(join(profile, 'DevToolsActivePort'), { force: true })
    return new Chromium(profile, serverPort)
  }

  /** The browser itself. */
  get browser(): Session {
    return this.#sessionOver(this.#browser, undefined)
  }

  /** Attaches to a page. */
  async attach(targetId: string): Promise<Session> {
    const { sessionId } = await this.browser.send('Target.attachToTarget', { targetId, flatten: true })
    return this.session(sessionId)
  }

  session(id: string): Session {
    const events = this.#sessions.get(id) ?? new EventEmitter()
    this.#sessions.set(id, events)
    return this.#sessionOver(events, id)
  }

  /** Where Playwright's `connectOverCDP` finds this browser. */
  async endpoint(): Promise<string> {
    for (let tries = 0; tries < 200; tries++) {
      const text = await readFile(join(this.#profile, 'DevToolsActivePort'), 'utf8').catch(() => '')
      const [port, path] = text.trim().split('\n')
      if (path) return `ws://127.0.0.1:${port}${path}`
      await wait(25)
    }
    throw new Error('Chromium opened no port')
  }

  async close(): Promise<void> {
    if (this.#gone) return
    this.browser.send('Browser.close').catch(() => undefined)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3000)
    await this.exited
    clearTimeout(timer)
  }

  #pipe(fd: 3 | 4): Duplex {
    return this.#child.stdio[fd] as Duplex
  }

  #sessionOver(events: EventEmitter, sessionId: string | undefined): Session {
    const send = (method: string, params: object = {}) => this.#send(method, params, sessionId)
    return { send: send as CDPSession['send'], on: events.on.bind(events) as unknown as CDPSession['on'] }
  }

  #send(method: string, params: object, sessionId: string | undefined): Promise<unknown> {
    if (this.#gone) return Promise.reject(new Error('Chromium has ended'))
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#replies.set(id, { resolve, reject, method })
      this.#pipe(3).write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  /** Messages end with a zero byte. */
  #read(chunk: Buffer): void {
    let rest = chunk
    for (let at = rest.indexOf(0); at >= 0; at = rest.indexOf(0)) {
      const text = Buffer.concat([...this.#rest.splice(0), rest.subarray(0, at)]).toString('utf8')
      rest = rest.subarray(at + 1)
      this.#take(JSON.parse(text) as Incoming)
    }
    if (rest.length) this.#rest.push(rest)
  }

  #take({ id, sessionId, method, params, result, error }: Incoming): void {
    if (id === undefined) {
      const events = sessionId === undefined ? this.#browser : this.#sessions.get(sessionId)
      events?.emit(method, params)
      return
    }
    const reply = this.#replies.get(id)
    this.#replies.delete(id)
    if (error) reply?.reject(new Error(`${reply.method}: ${error.message}`))
    else reply?.resolve(result)
  }
}
