/** The built desktop app on the stand-in for Electron, over a real Chromium. */
import { systemClock } from '../../electron/base/clock.ts'
import { launch, type RunningApp } from '../../tests/shell/stand-in/harness.ts'

/** What an empty cluster's page says once it has heard from the plane. */
const LIVE = 'document.body?.innerText.includes("no machines, no pods")'
/** What a cluster with pods says. */
const LIVE_WITH_PODS = '/[1-9][0-9,.]* pods/.test(document.body?.innerText ?? "")'

export interface Launched extends AsyncDisposable {
  /** Milliseconds from the start of the process to a frame with what the plane said. */
  readonly live: number
  /** The same to the first frame of the page. */
  readonly paint: number
  readonly app: RunningApp
}

export async function launchDesktop(dir: string, home: string, filled: boolean): Promise<Launched> {
  const began = systemClock.monotonic()
  const app = await launch({ app: dir, userData: home, args: [`--state=${home}/state`] })
  const shown = `${filled ? LIVE_WITH_PODS : LIVE} && new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true))))`
  await app.untilPage(shown)
  const live = systemClock.monotonic() - began
  const first = `performance.timeOrigin + (performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN)`
  const painted = Number(await app.page(first))
  return { live, paint: live - (systemClock.now() - painted), app, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() }
}

/** Delay of the event loop of the app's main thread while `work` runs: 99th percentile and largest, in milliseconds. */
export async function delayDuring(app: RunningApp, work: () => Promise<void>): Promise<{ p99: number; max: number }> {
  await app.evaluate(() => {
    const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks')
    const histogram = monitorEventLoopDelay({ resolution: 1 })
    histogram.enable()
    Object.assign(globalThis, { eventLoopDelay: histogram })
  })
  await work()
  return await app.evaluate(() => {
    const { eventLoopDelay } = globalThis as unknown as { eventLoopDelay: { percentile(n: number): number; max: number } }
    return { p99: eventLoopDelay.percentile(99) / 1e6, max: eventLoopDelay.max / 1e6 }
  })
}
