/** Volumes of type hostPath. Source: kubernetes `volume/hostpath`. */
import { mkdir, open, stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { systemCode } from '../../../base/errors.ts'
import type { HostPathVolumeSource } from '../../../api/core/v1/types.gen.ts'

/** Makes what may be made, and throws Error if there is something else than what was asked for. */
export async function checkHostPath({ path, type = '' }: HostPathVolumeSource): Promise<void> {
  if (type === '') return
  const found = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  if (!found && type === 'DirectoryOrCreate') return void (await mkdir(path, { recursive: true, mode: 0o755 }))
  if (!found && type === 'FileOrCreate') return createFile(path)
  const [matches, what] = expectation(type)
  if (!found || !matches(found)) throw new Error(`hostPath type check failed: ${path} is not ${what}`)
}

function expectation(type: string): [matches: (found: Stats) => boolean, what: string] {
  switch (type) {
    case 'Directory':
    case 'DirectoryOrCreate':
      return [(found) => found.isDirectory(), 'a directory']
    case 'File':
    case 'FileOrCreate':
      return [(found) => found.isFile(), 'a file']
    case 'Socket':
      return [(found) => found.isSocket(), 'a socket file']
    case 'CharDevice':
      return [(found) => found.isCharacterDevice(), 'a character device']
    case 'BlockDevice':
      return [(found) => found.isBlockDevice(), 'a block device']
    default:
      return [() => false, `of a known type: ${type}`]
  }
}

async function createFile(path: string): Promise<void> {
  await using file = await open(path, 'a', 0o644)
  await file.sync()
}
