/** The served UI in Chromium, and pictures of it. `npm run screenshots` puts those into `docs/screenshots`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'

const ROOT = join(import.meta.dirname, '../..')
const SHOTS = join(ROOT, process.env['FLOTILLA_SCREENSHOTS'] ?? '.cache/screenshots')

export interface OpenPage extends AsyncDisposable {
  readonly page: Page
  /** Errors of the console and of scripts. */
  readonly errors: readonly string[]
  /** A picture in light and one in dark: `<name>.png` and `<name>-dark.png`. */
  readonly shoot: (name: string) => Promise<void>
}

export async function openPage(url: string): Promise<OpenPage> {
  const browser: Browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const errors: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
  await mkdir(SHOTS, { recursive: true })
  await page.goto(url)
  return {
    page,
    errors,
    async shoot(name) {
      for (const [colorScheme, suffix] of [
        ['dark', '-dark'],
        ['light', ''],
      ] as const) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({ path: join(SHOTS, `${name}${suffix}.png`) })
      }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  }
}
