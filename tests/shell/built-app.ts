/** The built app in a folder of its own: only what is shipped is there, and builds by others do not change it underfoot. */
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../../scripts/build.ts'

const ROOT = join(import.meta.dirname, '../..')

export interface BuiltApp extends AsyncDisposable {
  readonly dir: string
  /** The bundled command line. */
  readonly flotilla: string
}

export async function builtApp(): Promise<BuiltApp> {
  await build(['app'])
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-app-'))
  for (const part of ['package.json', 'out', 'resources']) await cp(join(ROOT, part), join(dir, part), { recursive: true })
  await mkdir(join(dir, 'resources/agent'), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
  return {
    dir,
    flotilla: join(dir, 'out/main/flotilla.js'),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

export async function temporaryDir(prefix = 'flotilla-shell-'): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
