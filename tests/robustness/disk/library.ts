import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = join(import.meta.dirname, 'faulty-disk.c')
const CACHE = join(import.meta.dirname, '../../../.cache/robustness')
const GCC = '/usr/bin/gcc'

/** Why there can be no faulty disk on this computer, if so. */
export function whyNoFaultyDisk(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  if (!existsSync(GCC)) return 'needs gcc'
  return existsSync('/usr/include/stdlib.h') ? null : 'needs libc6-dev'
}

/** The path of the library, which is compiled when its source has changed. */
export function faultyDiskLibrary(): string {
  const version = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16)
  const path = join(CACHE, `faulty-disk-${version}.so`)
  if (existsSync(path)) return path
  mkdirSync(CACHE, { recursive: true })
  const fresh = `${path}.${process.pid}`
  execFileSync(GCC, ['-shared', '-fPIC', '-O2', '-Wall', '-o', fresh, SOURCE, '-ldl', '-lpthread'], { stdio: 'inherit' })
  renameSync(fresh, path)
  return path
}
