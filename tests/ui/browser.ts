/** A page of the UI in Chromium, with what went wrong in it. */
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { startFakeApp, type FakeApp } from './fake/app.ts'

export interface Opened extends AsyncDisposable {
  readonly app: FakeApp
  readonly page: Page
  readonly context: BrowserContext
  /** Errors of the console and of scripts, and violations of the page's policy. */
  readonly errors: string[]
  /** Goes to a page of the UI. */
  go(path: string): Promise<void>
}

export interface OpenOptions extends NonNullable<Parameters<typeof startFakeApp>[0]> {
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  /** What the browser prefers, "en-US" unless told. */
  readonly language?: string
}

/** Keeps a picture of how each test ended, for who looks into a failure. */
const SHOTS = process.env['UI_SHOTS']
let shots = 0
let browser: Promise<Browser> | null = null

/** One browser for a test file. */
export function launch(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
  return browser
}
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close()
  browser = null
}

/** What the browser says of a connection that the test itself breaks. */
const EXPECTED = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/

export async function openApp(options: OpenOptions = {}): Promise<Opened> {
  const app = await startFakeApp(options)
  const context = await (
    await launch()
  ).newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.theme ?? 'light',
    locale: options.language ?? 'en-US',
    reducedMotion: 'reduce',
    acceptDownloads: true,
  })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const page = await context.newPage()
  const errors: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
  page.setDefaultTimeout(30_000)
  await page.goto(app.url)
  await page.getByRole('contentinfo').getByText('Live').waitFor()
  return {
    app,
    page,
    context,
    errors,
    async go(path) {
      await page.evaluate(`location.hash = ${JSON.stringify(`#${path}`)}`)
      await page.waitForURL((url) => url.hash.startsWith(`#${path.split('?')[0] ?? ''}`))
    },
    async [Symbol.asyncDispose]() {
      if (SHOTS) await page.screenshot({ path: join(SHOTS, `${++shots}.png`) }).catch(() => undefined)
      await context.close()
      await app[Symbol.asyncDispose]()
    },
  }
}

/** Waits until the harbor's pods are what their fates make of them. */
export async function settled({ page }: Opened): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Sections' })
    .getByRole('link', { name: 'Pods' })
    .getByText('2 in trouble')
    .waitFor({ state: 'attached' })
}
