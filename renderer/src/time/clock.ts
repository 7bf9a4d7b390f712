/** The only file of the renderer that touches timers and the wall clock. */
import { readonly, ref, type Ref } from 'vue'

export const wallClock = (): number => Date.now()
export const stopwatch = (): number => performance.now()

/** Calls `fn` once after `ms` milliseconds; dispose to call it off. */
export function after(ms: number, fn: () => void): Disposable {
  const timer = window.setTimeout(fn, ms)
  return { [Symbol.dispose]: () => window.clearTimeout(timer) }
}

/** Calls `fn` every `ms` milliseconds while the page is visible. */
export function every(ms: number, fn: () => void): Disposable {
  const timer = window.setInterval(() => {
    if (!document.hidden) fn()
  }, ms)
  return { [Symbol.dispose]: () => window.clearInterval(timer) }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void after(ms, resolve))

/** Calls `fn` before the next frame is painted; dispose to call it off. */
export function nextFrame(fn: () => void): Disposable {
  const id = window.requestAnimationFrame(fn)
  return { [Symbol.dispose]: () => window.cancelAnimationFrame(id) }
}

const second = ref(wallClock())
let ticking: Disposable | null = null
const tick = () => void (second.value = wallClock())

/** The time in milliseconds, new each second while the page is visible. One timer for the whole app, from its first use. */
export function useNow(): Readonly<Ref<number>> {
  if (!ticking) {
    ticking = every(1000, tick)
    document.addEventListener('visibilitychange', tick)
  }
  return readonly(second)
}

/** `fn`, called once things have been quiet for `ms`. */
export function debounced(ms: number, fn: () => void): (() => void) & Disposable {
  let waiting: Disposable | null = null
  const call = () => {
    waiting?.[Symbol.dispose]()
    waiting = after(ms, fn)
  }
  return Object.assign(call, { [Symbol.dispose]: () => waiting?.[Symbol.dispose]() })
}
