import { describe, expect, it } from 'vitest'
import { isOurs, isWebAddress } from './addresses.ts'

describe('an address', () => {
  it.each(['app://flotilla', 'app://flotilla/', 'app://flotilla/index.html#/pods'])('%s is the app’s own', (url) => {
    expect(isOurs(url)).toBe(true)
  })
  it.each([
    ...['app://flotilla.example.org/', 'app://flotilla@example.org/', 'app://flotilla:pass@flotilla/', 'app://other/', 'app:flotilla'],
    ...['https://flotilla/', 'file:///app://flotilla/', 'about:blank', 'app://flotilla:80/', ''],
  ])('%j is not', (url) => {
    expect(isOurs(url)).toBe(false)
  })

  it.each(['https://example.org/x', 'http://127.0.0.1:30080/', 'http://localhost:8080', 'http://[::1]:80/'])(
    '%s may be opened outside',
    (url) => {
      expect(isWebAddress(url)).toBe(true)
    },
  )
  it.each([
    ...['http://example.org/', 'http://127.0.0.1.example.org/', 'file:///etc/passwd', 'javascript:alert(1)', 'ssh://host', 'smb://host/x'],
    ...['https://ada@example.org/', 'mailto:ada@example.org', 'flotilla://pods', 'not an address'],
  ])('%s may not', (url) => {
    expect(isWebAddress(url)).toBe(false)
  })
})
