/** What a test uses: launches a built app under the stand-in, and drives it. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import { chromium, type Browser, type Page } from 'playwright-core'
import { makeCodec } from './page/codec.mjs'
import type * as Electron from './electron.ts'

export interface LaunchOptions {
  /** Folder with the app's package.json and bundles. */
  readonly app: string
  readonly userData: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface RunningApp extends AsyncDisposable {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** Everything the process has printed. */
  readonly output: string
  /** Runs `fn` in the app's main process. It is sent as text, so it closes over nothing. */
  evaluate<R, A = undefined>(fn: (electron: typeof Electron, arg: A) => R | Promise<R>, arg?: A): Promise<R>
  /** Repeats `fn` until what it returns is true-like, and returns that. */
  until<R, A = undefined>(fn: (electron: typeof Electron, arg: A) => R | Promise<R>, arg?: A): Promise<NonNullable<R>>
  /** Evaluates an expression in the first window's page. */
  page(code: string): Promise<unknown>
  /** Repeats it until it is true-like, also while there is no window yet. */
  untilPage(code: string): Promise<unknown>
  /** The first window, to Playwright. */
  playwright(): Promise<Page>
  quit(): Promise<Exit>
  kill(signal?: NodeJS.Signals): Promise<Exit>
}

const PATIENCE_MS = 60_000
const { encode, decode } = makeCodec()

export async function launch({ app, userData, args = [], env = {} }: LaunchOptions): Promise<RunningApp> {
  const child = fork(fileURLToPath(new URL('./boot.ts', import.meta.url)), [app, `--user-data-dir=${userData}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
    execArgv: [],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
  const calls = new Map<number, PromiseWithResolvers<unknown>>()
  let lastCall = 0
  child.on('message', (message) => {
    const { id, ok, value } = message as { id: number; ok: boolean; value: string }
    const call = calls.get(id)
    calls.delete(id)
    if (ok) call?.resolve(decode(value))
    else call?.reject(new Error(`${(decode(value) as Error).message}\n${output}`))
  })
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const { reject } of calls.values()) reject(new Error(`the app ended with ${code ?? signal}\n${output}`))
      resolve({ code, signal })
    })
  })

  const evaluate: RunningApp['evaluate'] = (fn, arg) => {
    const id = ++lastCall
    const call = Promise.withResolvers<unknown>()
    calls.set(id, call)
    child.send({ id, code: String(fn), arg: encode(arg) }, (error) => {
      if (error) call.reject(new Error(`the app has ended\n${output}`))
    })
    return call.promise as Promise<never>
  }
  const repeat = async <R>(look: () => Promise<R>, what: string): Promise<NonNullable<R>> => {
    for (const end = performance.now() + PATIENCE_MS; ; await wait(20)) {
      const value = await look()
      if (value) return value
      if (performance.now() > end) throw new Error(`not so within ${PATIENCE_MS / 1000} s: ${what}\n${output}`)
    }
  }
  const page = (code: string) =>
    evaluate((electron, text) => {
      const [window] = electron.BrowserWindow.getAllWindows()
      if (!window) throw new Error('there is no window')
      return window.webContents.executeJavaScript(text)
    }, code)
  const pageIfOpen = (code: string) =>
    evaluate((electron, text) => electron.BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript(text), code)
  let browser: Browser | null = null

  const running: RunningApp = {
    pid: child.pid ?? 0,
    exited,
    get output() {
      return output
    },
    evaluate,
    until: (fn, arg) => repeat(() => evaluate(fn, arg), String(fn)),
    page,
    untilPage: (code) => repeat(() => pageIfOpen(code), code),
    async playwright() {
      browser ??= await chromium.connectOverCDP(await evaluate((electron) => electron.standIn.endpoint()))
      const first = () => Promise.resolve(browser?.contexts()[0]?.pages()[0])
      return await repeat(first, 'a page in the window')
    },
    async quit() {
      await browser?.close().catch(() => undefined)
      if (child.connected) await evaluate((electron) => electron.app.quit()).catch(() => undefined)
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
      const exit = await exited
      clearTimeout(timer)
      return exit
    },
    async kill(signal = 'SIGKILL') {
      child.kill(signal)
      return await exited
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await running.quit()
    },
  }
  return running
}
