/** The image that test pods run: a shell and its tools, a C library that resolves names, and a server. */
import { execFile } from 'node:child_process'
import { readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { imageArchive, type ImageEntry } from '../../../electron/provision/images/archive.ts'
import { findBusybox } from '../../../electron/provision/images/busybox.ts'

const exec = promisify(execFile)
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64'
const APPLETS =
  'sh cat echo sleep ls stat id env touch mkdir rm chmod test base64 tr grep mount ip hostname date head seq true false wc ps kill'

export const TEST_IMAGE = 'flotilla.local/conformance:1'
/** What the image's entrypoint is run with by default; it prints its arguments, a line each. */
export const DEFAULT_ARGS = ['default', 'arguments']
/** In the image with this content. */
export const EXISTING_FILE = { path: '/etc/existing', content: 'of the image\n' }
/** `id`, owned by root, with the set-user-id bit. */
export const SETUID_PROGRAM = '/bin/id-of-root'

/** `fetch URL [METHOD]` prints what is answered within two seconds with a status of 200. busybox's wget, which is static, cannot resolve names. */
const FETCH = `#!/bin/node
const [url, method = 'GET'] = process.argv.slice(2)
const main = async () => {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(2000) })
  process.stdout.write(await response.text())
  process.exitCode = response.status === 200 ? 0 : 1
}
main().catch((error) => {
  console.error(String(error.cause ?? error))
  process.exit(1)
})
`

/** Writes the image's archive into `dir`; its name. Throws where this computer has no static busybox. */
export async function testImageArchive(dir: string): Promise<string> {
  const busybox = await findBusybox(ARCHITECTURE)
  if (!busybox) throw new Error('these tests need a static busybox (Debian: busybox-static)')
  const programs = ['/usr/bin/getent', '/usr/bin/id', process.execPath]
  const files = new Map([['bin/busybox', busybox]])
  for (const program of programs) {
    for (const library of await librariesOf(program)) files.set(library.slice(1), await readFile(await realpath(library)))
  }
  files.set('bin/getent', await readFile('/usr/bin/getent'))
  files.set('bin/node', await readFile(process.execPath))
  files.set('bin/print-arguments', Buffer.from('#!/bin/sh\nfor argument in "$0" "$@"; do echo "$argument"; done\n'))
  files.set('bin/fetch', Buffer.from(FETCH))
  const entries: ImageEntry[] = [
    ...Array.from(files, ([path, content]) => ({ path, mode: 0o755, content })),
    ...APPLETS.split(' ').map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    { path: SETUID_PROGRAM.slice(1), mode: 0o4755, content: await readFile('/usr/bin/id') },
    { path: 'server.ts', mode: 0o644, content: await readFile(new URL(import.meta.resolve('./server.ts'))) },
    { path: EXISTING_FILE.path.slice(1), mode: 0o644, content: EXISTING_FILE.content },
    { path: 'etc/nsswitch.conf', mode: 0o644, content: 'hosts: files dns\n' },
    { path: 'tmp', directory: true, mode: 0o1777 },
  ]
  const file = join(dir, 'conformance.tar')
  const spec = { architecture: ARCHITECTURE, entries, entrypoint: ['/bin/print-arguments'], args: DEFAULT_ARGS } as const
  await writeFile(file, await imageArchive(TEST_IMAGE, [spec]))
  return file
}

async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await exec('ldd', [program])
  return [...stdout.matchAll(/(\/\S+)\s+\(0x/g)].flatMap(([, path]) => path ?? [])
}
