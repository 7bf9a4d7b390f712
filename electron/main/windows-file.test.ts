import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readWindows, saveWindows } from './windows-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-windows-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const window = { x: 10, y: 20, width: 1000, height: 700, maximized: false, route: '/pods' }

describe('the windows of last time', () => {
  it('are read as they were saved', () => {
    const file = join(dir, 'windows.json')
    saveWindows(file, [window, { ...window, route: '/' }])
    expect(readWindows(file)).toEqual([window, { ...window, route: '/' }])
  })

  it.each([
    '',
    'null',
    '{}',
    '[{}]',
    JSON.stringify([{ ...window, width: 3 }]),
    JSON.stringify([{ ...window, route: 'https://example.org' }]),
  ])('are none where the file says %j', (text) => {
    const file = join(dir, 'windows.json')
    writeFileSync(file, text)
    expect(readWindows(file)).toEqual([])
  })

  it('are none where there is no file, and saving in vain is no fault', () => {
    expect(readWindows(join(dir, 'none.json'))).toEqual([])
    expect(() => saveWindows(join(dir, 'no/such/folder.json'), [window])).not.toThrow()
  })
})
