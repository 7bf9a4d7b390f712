import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const MODULE = pathToFileURL(join(import.meta.dirname, 'code-cache.ts')).href

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-code-'))
  writeFileSync(join(dir, 'program.mjs'), 'export const answer = 42\n')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A process that uses the cache for a program at `place`, loads a module and keeps what was compiled. */
function start(place: string, env: Record<string, string> = {}): void {
  const script = `
    const { useCodeCache, keepCompiledCode } = await import(${JSON.stringify(MODULE)})
    useCodeCache(${JSON.stringify(join(dir, 'cache'))}, ${JSON.stringify(place)})
    await import(${JSON.stringify(pathToFileURL(join(dir, 'program.mjs')).href)})
    keepCompiledCode()`
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_COMPILE_CACHE|APPIMAGE)$/.test(name)))
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { env: { ...inherited, ...env } })
}

const kept = () => readdirSync(join(dir, 'cache'))

describe('the cache of compiled code', () => {
  it('is kept by program, and what another one left is dropped', () => {
    start('/opt/one')
    const [first] = kept()
    start('/opt/one')
    expect(kept()).toEqual([first])
    start('/opt/two')
    expect(kept()).toHaveLength(1)
    expect(kept()).not.toEqual([first])
  })

  it('is not made for a program that is mounted somewhere else each time', () => {
    mkdirSync(join(dir, 'cache'))
    start('/mnt/one', { APPIMAGE: '/home/ada/Flotilla.AppImage' })
    expect(kept()).toEqual([])
  })
})
