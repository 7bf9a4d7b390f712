import { wallClock } from '../time/clock.ts'

const KEY = 'flotilla.reloadedAt'
/** Milliseconds. A part that the new program lacks too must not make the page load for ever. */
const ONCE_IN = 60_000

/**
 * A page that stayed open while the program was replaced asks for parts that are not served any more: it is loaded anew. Vite tells
 * of such a part by the event `vite:preloadError`, which throws unless it is prevented.
 */
export function reloadWhenStale(page: Pick<Window, 'addEventListener' | 'sessionStorage' | 'location'>): void {
  page.addEventListener('vite:preloadError', (event) => {
    const now = wallClock()
    if (now - Number(page.sessionStorage.getItem(KEY)) < ONCE_IN) return
    page.sessionStorage.setItem(KEY, String(now))
    event.preventDefault()
    page.location.reload()
  })
}
