/** An image whose programs resolve names as others do, by the C library: two tags of it, for updates. */
import { execFile } from 'node:child_process'
import { readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { imageArchive, type ImageEntry } from '../../electron/provision/images/archive.ts'
import { findBusybox } from '../../electron/provision/images/busybox.ts'

const exec = promisify(execFile)
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64'
const APPLETS = ['sh', 'cat', 'echo', 'sleep', 'nc', 'hostname', 'date', 'ls', 'wc', 'head', 'seq', 'true', 'false', 'stty', 'env']

export const TOOLS_IMAGE = 'flotilla.local/tools:1'
export const NEXT_TOOLS_IMAGE = 'flotilla.local/tools:2'

/** Writes the archives of both tags into `dir`; their names. */
export async function toolsArchives(dir: string): Promise<string[]> {
  const busybox = await findBusybox(ARCHITECTURE)
  if (!busybox) throw new Error('these tests need a static busybox (Debian: busybox-static)')
  const entries: ImageEntry[] = [
    { path: 'bin/busybox', mode: 0o755, content: busybox },
    ...APPLETS.map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    ...(await withLibraries('/usr/bin/getent')),
    { path: 'etc/nsswitch.conf', mode: 0o644, content: 'hosts: files dns\n' },
    { path: 'tmp', directory: true, mode: 0o1777 },
  ]
  return await Promise.all(
    [TOOLS_IMAGE, NEXT_TOOLS_IMAGE].map(async (name, i) => {
      const mark: ImageEntry = { path: 'etc/tag', mode: 0o644, content: `${name}\n` }
      const spec = {
        architecture: ARCHITECTURE,
        entries: [...entries, mark],
        entrypoint: ['/bin/sh', '-c', 'trap exit TERM; sleep 100000 & wait'],
      } as const
      const file = join(dir, `tools-${i + 1}.tar`)
      await writeFile(file, await imageArchive(name, [spec]))
      return file
    }),
  )
}

/** A program of this system and the libraries that it is linked with. */
async function withLibraries(program: string): Promise<ImageEntry[]> {
  const { stdout } = await exec('ldd', [program])
  const libraries = [...stdout.matchAll(/(\/\S+)\s+\(0x/g)].flatMap(([, path]) => path ?? [])
  return await Promise.all(
    [program, ...libraries].map(async (path) => ({ path: path.slice(1), mode: 0o755, content: await readFile(await realpath(path)) })),
  )
}
