import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { FlotillaError, messageOf, systemCode } from '../base/errors.ts'
import type { Random } from '../base/random.ts'

/** Layout of the state folder. */
export const paths = (stateDir: string) => ({
  cluster: join(stateDir, 'cluster.json'),
  store: join(stateDir, 'store'),
  pki: join(stateDir, 'pki'),
  kubeconfig: join(stateDir, 'kubeconfig'),
  machines: join(stateDir, 'machines'),
})

/** What is remembered of a cluster outside its store. */
const clusterFile = v.object({
  /** Layout of the state folder. */
  layout: v.literal(1),
  id: v.string(),
  name: v.string(),
  port: v.nullable(v.number()),
})
export type ClusterFile = v.InferOutput<typeof clusterFile>

/** Makes the folder if it is missing, and keeps others out of it. */
export async function prepareStateDir(stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    await chmod(stateDir, 0o700)
  } catch (error) {
    throw new FlotillaError(systemCode(error) === 'ENOSPC' ? 'DISK_FULL' : 'STATE_UNREADABLE', {
      what: `The state folder ${stateDir} cannot be used.`,
      why: `${messageOf(error)}.`,
      next: 'Choose a folder that you may write to, or free some disk space.',
      cause: error,
    })
  }
}

export async function readClusterFile(stateDir: string, defaults: { name: string | undefined; random: Random }): Promise<ClusterFile> {
  const file = paths(stateDir).cluster
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw unreadable(file, messageOf(error))
  })
  if (text === null) {
    const fresh: ClusterFile = { layout: 1, id: defaults.random.uuid(), name: defaults.name ?? 'flotilla', port: null }
    await writeClusterFile(stateDir, fresh)
    return fresh
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw unreadable(file, messageOf(error))
  }
  const parsed = v.safeParse(clusterFile, json)
  if (parsed.success) return parsed.output
  const layout = (json as { layout?: unknown } | null)?.layout
  throw unreadable(
    file,
    typeof layout === 'number' && layout > 1 ? `It was written by a newer Flotilla (layout ${layout}).` : v.summarize(parsed.issues),
  )
}

export async function writeClusterFile(stateDir: string, cluster: ClusterFile): Promise<void> {
  await replaceFile(paths(stateDir).cluster, `${JSON.stringify(cluster, null, 2)}\n`)
}

/** Writes beside and renames, so that a crash leaves the old text or the new. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const beside = `${file}.new`
  await writeFile(beside, text, { mode: 0o600, flush: true })
  await rename(beside, file)
}

/** Where the command line reaches a running plane: a Unix socket in the state folder, or where that path is too long in the temporary one. */
export function controlSocketPath(stateDir: string): string {
  const near = join(stateDir, 'control.sock')
  if (Buffer.byteLength(near) < 104) return near
  return join(tmpdir(), `flotilla-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}.sock`)
}

function unreadable(file: string, why: string): FlotillaError {
  return new FlotillaError('STATE_UNREADABLE', {
    what: `${file} cannot be read.`,
    why,
    next: 'Restore the state folder from a backup, update Flotilla, or choose another folder with --state.',
  })
}
