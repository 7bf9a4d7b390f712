/** node-pty, the one native part: its program for each system that can be had here, outside the archive, where the system can load it. */
import { cp, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../lib.mjs'

const PACKAGE = join(ROOT, 'node_modules/node-pty')
const NODE_PLATFORM = { linux: 'linux', mac: 'darwin', win: 'win32' } as const

export type Os = keyof typeof NODE_PLATFORM
export type Arch = 'x64' | 'arm64'

/**
 * Puts node-pty for a system into `dir`; false where it cannot be had: for Linux it is compiled when packages are installed, on that
 * architecture only. Then the app says that it opens no terminal on this computer, and everything else works.
 */
export async function stageNative(dir: string, os: Os, arch: Arch): Promise<boolean> {
  const target = join(dir, `${os}-${arch}`, 'node-pty')
  await mkdir(join(target, '..'), { recursive: true })
  const platform = NODE_PLATFORM[os]
  const compiled = platform === process.platform && arch === process.arch ? ['build/Release'] : []
  const found = await firstThatIs([`prebuilds/${platform}-${arch}`, ...compiled])
  if (!found) return false
  await cp(join(PACKAGE, 'package.json'), join(target, 'package.json'))
  await cp(join(PACKAGE, 'LICENSE'), join(target, 'LICENSE'))
  await cp(join(PACKAGE, 'lib'), join(target, 'lib'), { recursive: true, filter: (path) => !/\.test\.js$|\.map$/.test(path) })
  await cp(join(PACKAGE, found), join(target, found), { recursive: true, filter: (path) => !path.endsWith('.pdb') })
  return true
}

async function firstThatIs(folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const isThere = await stat(join(PACKAGE, folder)).catch(() => null)
    if (isThere && (await readdir(join(PACKAGE, folder))).some((name) => name.endsWith('.node'))) return folder
  }
  return null
}
