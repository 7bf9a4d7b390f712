import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { autostart } from './login-item.ts'

vi.mock('electron', () => ({ app: { isPackaged: true } }))

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-login-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('starts with a Linux session by a file of its own, which goes again', () => {
  const item = autostart(join(dir, 'autostart'), '/opt/My "Apps"/flotilla')
  expect(item.get()).toBe(false)
  item.set(true)
  expect(item.get()).toBe(true)
  const text = readFileSync(join(dir, 'autostart/flotilla.desktop'), 'utf8')
  expect(text).toContain('Exec="/opt/My \\"Apps\\"/flotilla" --hidden')
  writeFileSync(join(dir, 'autostart/flotilla.desktop'), `${text}Hidden=true\n`)
  expect(item.get()).toBe(false)
  item.set(false)
  item.set(false)
  expect(item.get()).toBe(false)
})
