/**
 * A million lines at 20,000 a second: from a file as a CRI runtime writes it, by the agent's reader, over the contract's WebSocket into
 * the page's worker; with the connection cut twice on the way. Then what the page has is compared with the file, line by line.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { logFilesOf } from '../../electron/agent/kubelet/gc/log-files.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { closeBrowser } from '../../tests/ui/browser.ts'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { searches } from './lines.ts'
import { memoryOf, openLogPage } from './page.ts'
import type { Page } from 'playwright-core'

const LINES = Number(process.env['LOG_LINES'] ?? 1_000_000)
const RATE = 20_000
const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url))
/** How often each search is made. */
const ROUNDS = 5

const pause = (ms: number) => new Promise<void>((resolve) => void systemClock.setTimeout(resolve, ms))
const percentile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0

/** Notes how long frames take, and tasks that hold the window up. */
const WATCH = `(() => {
  const seen = (window.seen = { frames: [], tasks: [] })
  let before = 0
  const frame = (now) => { if (before) seen.frames.push(now - before); before = now; requestAnimationFrame(frame) }
  requestAnimationFrame(frame)
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) seen.tasks.push(entry.duration) }).observe({ type: 'longtask' })
})()`

/** Types a search and waits until its count stands; milliseconds. The counts of searches that follow each other differ. */
const SEARCH = `async (typed) => {
  const input = document.querySelector('.tools .find input')
  const text = () => document.querySelector('.tools .find [role=status]')?.innerText ?? ''
  const before = text()
  const began = performance.now()
  input.value = typed
  input.dispatchEvent(new Event('input', { bubbles: true }))
  await new Promise((resolve) => {
    const look = () => (text() !== before && text() !== '' && !/…|searching/.test(text()) ? resolve() : requestAnimationFrame(look))
    look()
  })
  return { took: performance.now() - began, text: text() }
}`

async function received(page: Page): Promise<number> {
  const text = await page.locator('.logs .foot').innerText()
  return Number(/^([\d\u202f]+) lines/.exec(text)?.[1]?.replaceAll('\u202f', '') ?? 0)
}

/** Lines of the file that the download lacks, those that it has more than once or that were never written, and those out of order. */
async function compare(path: string, downloaded: string): Promise<{ lost: number; twice: number; misplaced: number }> {
  const lines = downloaded.split('\n')
  let at = 0
  let lost = 0
  let twice = 0
  let misplaced = 0
  const rest = new Map<string, number>()
  for (const file of await logFilesOf(path)) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const wanted = line.replace(/^(\S+) stdout F /, '$1 ')
      if (lines[at] === wanted) at++
      else rest.set(wanted, (rest.get(wanted) ?? 0) + 1)
    }
  }
  for (const line of lines.slice(at)) {
    if (!line) continue
    const n = rest.get(line) ?? 0
    if (n > 0) {
      rest.set(line, n - 1)
      misplaced++
    } else twice++
  }
  for (const n of rest.values()) lost += n
  return { lost, twice, misplaced }
}

export async function* run(): AsyncGenerator<Measure> {
  const dir = mkdtempSync(join(tmpdir(), 'flotilla-bench-logs-'))
  try {
    yield* measure(join(dir, '0.log'))
  } finally {
    await closeBrowser()
    rmSync(dir, { recursive: true })
  }
}

async function* measure(path: string): AsyncGenerator<Measure> {
  const source = { path, running: () => true, onChange: () => ({ [Symbol.dispose]: () => undefined }) }
  await using opened = await openLogPage(source)
  const { page, browser, face } = opened
  const before = await memoryOf(browser, page)
  await page.evaluate(WATCH)
  const writer = spawn(process.execPath, [WRITER, path, String(LINES), String(RATE)], { stdio: 'inherit' })
  const began = systemClock.monotonic()
  const ended = once(writer, 'exit')
  // The connection breaks while lines come, once early and once late.
  await pause(((LINES / RATE) * 1000) / 4)
  face.drop()
  await pause(((LINES / RATE) * 1000) / 2)
  face.drop()
  await ended
  const written = systemClock.monotonic()
  for (let n = await received(page); n < LINES && systemClock.monotonic() - written < 120_000; n = await received(page)) await pause(50)
  const took = systemClock.monotonic() - began
  const lag = systemClock.monotonic() - written
  const { frames, tasks } = await page.evaluate<{ frames: number[]; tasks: number[] }>('window.seen')
  yield moreIsBetter('lines a second from the file to the page', 'lines/s', LINES / (took / 1000), null, `written at ${RATE} a second`)
  yield lessIsBetter('behind the file when its last line was written', 'ms', lag, null)
  yield lessIsBetter(
    'frame while lines come, p95',
    'ms',
    percentile(frames, 0.95),
    null,
    `p50 ${percentile(frames, 0.5).toFixed(1)}, p99 ${percentile(frames, 0.99).toFixed(1)}, ${frames.length} frames`,
  )
  yield lessIsBetter('longest task of the window while lines come', 'ms', Math.max(0, ...tasks), null, `${tasks.length} of more than 50 ms`)

  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++)
    for (const { typed, matches } of searches(LINES)) {
      const { took: one, text } = await page.evaluate<{ took: number; text: string }>(`(${SEARCH})(${JSON.stringify(typed)})`)
      const found = Number(/([\d\u202f]+)$/.exec(text)?.[1]?.replaceAll('\u202f', '') ?? 0)
      if (found !== matches) throw new Error(`${typed} was found in ${text} lines instead of ${matches}`)
      times.push(one)
    }
  yield lessIsBetter(
    'search over all lines, p95',
    'ms',
    percentile(times, 0.95),
    null,
    `from the key to the count on screen; p50 ${percentile(times, 0.5).toFixed(0)}, most ${Math.max(...times).toFixed(0)}`,
  )
  const after = await memoryOf(browser, page)
  yield lessIsBetter('memory of the window’s heap', 'MB', after.heap / 1e6, null, `${(before.heap / 1e6).toFixed(1)} before`)
  yield lessIsBetter(
    'memory of the page’s process, its worker with all lines',
    'MB',
    after.process / 1e6,
    null,
    `${(before.process / 1e6).toFixed(0)} before`,
  )

  await page.locator('.tools .find input').fill('')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download what is here' }).click()])
  const { lost, twice, misplaced } = await compare(path, await readFile(await download.path(), 'utf8'))
  yield lessIsBetter('lines lost', 'lines', lost, null, 'against the file, over two broken connections')
  yield lessIsBetter('lines there twice', 'lines', twice, null)
  yield lessIsBetter('lines out of order', 'lines', misplaced, null)
}
