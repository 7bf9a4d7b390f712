import { expect, it, vi } from 'vitest'
import { reloadWhenStale } from './stale.ts'

it('a page whose parts are gone is loaded anew, but not again and again', () => {
  const page = new EventTarget()
  const reload = vi.fn<() => void>()
  reloadWhenStale(Object.assign(page, { sessionStorage: window.sessionStorage, location: { reload } }) as unknown as Window)
  const first = new Event('vite:preloadError', { cancelable: true })
  page.dispatchEvent(first)
  expect(first.defaultPrevented).toBe(true)
  expect(reload).toHaveBeenCalledTimes(1)
  const second = new Event('vite:preloadError', { cancelable: true })
  page.dispatchEvent(second)
  expect(second.defaultPrevented).toBe(false)
  expect(reload).toHaveBeenCalledTimes(1)
})
