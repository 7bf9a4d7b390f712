/** What a page does in its frames, measured inside it. */
import type { Page } from 'playwright-core'

export interface Frames {
  /** Milliseconds from one frame to the next, and of the page's own work in a frame: 95th percentiles. */
  readonly interval: number
  readonly work: number
  /** The longest task, in milliseconds; 0 if none took 50. */
  readonly longest: number
  /** The largest heap seen, in bytes. */
  readonly heap: number
  readonly frames: number
}

/** Runs in the page. `performance.memory` and the scheduler of frames are Chromium's. */
const BEGIN = `(() => {
  const seen = { intervals: [], works: [], longest: 0, heap: 0, running: true }
  globalThis.seenFrames = seen
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.longest = Math.max(seen.longest, entry.duration)
  }).observe({ type: 'longtask' })
  const channel = new MessageChannel()
  let last = 0
  let began = 0
  channel.port1.onmessage = () => seen.works.push(performance.now() - began)
  const frame = (now) => {
    if (!seen.running) return
    began = performance.now()
    if (last) seen.intervals.push(now - last)
    last = now
    seen.heap = Math.max(seen.heap, performance.memory.usedJSHeapSize)
    channel.port2.postMessage(0)
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
})()`

const END = `(() => {
  const seen = globalThis.seenFrames
  seen.running = false
  const p95 = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0
  return { interval: p95(seen.intervals), work: p95(seen.works), longest: seen.longest, heap: seen.heap, frames: seen.intervals.length }
})()`

export async function framesDuring(page: Page, work: () => Promise<unknown>): Promise<Frames> {
  await page.evaluate(BEGIN)
  await work()
  return await page.evaluate<Frames>(END)
}
