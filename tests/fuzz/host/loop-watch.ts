/** How often the event loop is looked at, and how long it may be held, in milliseconds. */
const LOOK = 50
const HELD = 1000

/**
 * Tells when the event loop did nothing else for more than a second of processor time: a machine that gives this process none for a while
 * is no fault of its own.
 */
export function watchLoop(tell: (message: string) => void): Disposable {
  let seen = performance.now()
  let used = process.threadCpuUsage()
  const timer = setInterval(() => {
    const now = performance.now()
    const cpu = process.threadCpuUsage(used)
    const busy = (cpu.user + cpu.system) / 1000
    if (now - seen > HELD && busy > HELD)
      tell(`the event loop was held for ${Math.round(now - seen)} ms, ${Math.round(busy)} ms of them at work`)
    seen = now
    used = process.threadCpuUsage()
  }, LOOK)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
