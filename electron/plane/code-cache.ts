/** Keeps what V8 compiled between starts, so that a start spends no time on it again. */
import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'

/** Which program a cache is of: entries are found by the place of the file, so that each place has a folder of its own. */
function nameOf(program: string): string {
  return createHash('sha256').update(`${program}\0${process.version}`).digest('hex').slice(0, 16)
}

/**
 * Takes what was kept in `dir` for this program, and drops what another version or another place of it left. An AppImage is mounted
 * somewhere else each time, where nothing would be found again. Losing the cache costs time only, so no failure is told.
 */
export function useCodeCache(dir: string, program: string, env: NodeJS.ProcessEnv = process.env): void {
  if (env['APPIMAGE'] || env['NODE_COMPILE_CACHE']) return
  const own = nameOf(program)
  try {
    for (const name of readdirSync(dir)) if (name !== own) rmSync(join(dir, name), { recursive: true, force: true })
  } catch {
    // There is none yet.
  }
  enableCompileCache(join(dir, own))
}

/** Writes what has been compiled by now; nothing where all of it came from the cache. */
export function keepCompiledCode(): void {
  flushCompileCache()
}
