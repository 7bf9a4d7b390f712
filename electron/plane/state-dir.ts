import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
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
  /** What nodes and pods used. */
  metrics: join(stateDir, 'metrics'),
  /** Made by the user. */
  scheduler: join(stateDir, 'scheduler.yaml'),
  authentication: join(stateDir, 'authentication.yaml'),
  authorization: join(stateDir, 'authorization.yaml'),
  admission: join(stateDir, 'admission.yaml'),
  /** Made by the user. */
  auditPolicy: join(stateDir, 'audit-policy.yaml'),
  auditLog: join(stateDir, 'audit', 'audit.log'),
  log: join(stateDir, 'plane.log'),
  /** What V8 compiled, to be used again. */
  codeCache: join(stateDir, 'code-cache'),
  /** The desktop window's own data. */
  desktop: join(stateDir, 'desktop'),
})

/** Everything that Flotilla puts into a state folder. */
export const OWN_ENTRIES: readonly string[] = [
  ...[
    'cluster.json',
    'cluster.json.new',
    'store',
    'pki',
    'kubeconfig',
    'kubeconfig.new',
    'machines',
    'ssh',
    'vm',
    'machine-images',
    'cache',
  ],
  ...['plane.log', 'plane.log.1', 'control.sock', 'code-cache', 'desktop', 'scheduler.yaml', 'authentication.yaml', 'authorization.yaml'],
  ...['admission.yaml', 'audit-policy.yaml', 'audit', 'metrics'],
]
/** What an empty disk may have. */
const SYSTEM_ENTRIES = ['lost+found']

/** What is remembered of a cluster outside its store. */
const clusterFile = v.object({
  /** Layout of the state folder. */
  layout: v.literal(1),
  id: v.string(),
  name: v.string(),
  port: v.nullable(v.number()),
  /** Where its objects are, if not in this folder. */
  etcd: v.optional(
    v.object({
      endpoints: v.array(v.string()),
      caFile: v.optional(v.string()),
      certFile: v.optional(v.string()),
      keyFile: v.optional(v.string()),
    }),
  ),
})
export type ClusterFile = v.InferOutput<typeof clusterFile>

/**
 * Makes the folder if it is missing, and keeps others out of it. A folder that holds other things is refused: it would be littered, and
 * locked away from who shares it. So is a state folder that a newer version made.
 */
export async function prepareStateDir(stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    const entries = (await readdir(stateDir)).filter((name) => !SYSTEM_ENTRIES.includes(name))
    if (entries.length && !entries.some((name) => OWN_ENTRIES.includes(name))) throw notOurs(stateDir)
    await chmod(stateDir, 0o700)
  } catch (error) {
    throw stateError(stateDir, error)
  }
  await readCluster(stateDir)
}

/** Codes of the system, and of the store, that mean a full disk. */
const FULL = ['ENOSPC', 'EDQUOT', 'noSpace']
/** The same for a disk that cannot be written to as it is. */
const UNUSABLE = [...FULL, 'EROFS', 'EACCES', 'EPERM']

/** Whether it is the state folder's disk that failed. */
export function isDiskError(error: unknown): boolean {
  return UNUSABLE.includes(systemCode(error) ?? '')
}

/** What a person is told when something in the state folder could not be read or written. */
export function stateError(stateDir: string, error: unknown): FlotillaError {
  if (error instanceof FlotillaError) return error
  const full = FULL.includes(systemCode(error) ?? '')
  return new FlotillaError(full ? 'DISK_FULL' : 'STATE_UNREADABLE', {
    what: `The state folder ${stateDir} cannot be used.`,
    why: full ? 'The disk is full.' : `${messageOf(error)}.`,
    next: full ? 'Make room on it, then start again. Nothing was changed.' : 'Choose a folder that you may write to, with --state.',
    cause: error,
  })
}

export async function readClusterFile(stateDir: string, defaults: { name: string | undefined; random: Random }): Promise<ClusterFile> {
  const known = await readCluster(stateDir)
  if (known) return known
  const fresh: ClusterFile = { layout: 1, id: defaults.random.uuid(), name: defaults.name ?? 'flotilla', port: null }
  await writeClusterFile(stateDir, fresh)
  return fresh
}

/** Null before the first start. */
export async function readCluster(stateDir: string): Promise<ClusterFile | null> {
  const file = paths(stateDir).cluster
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw unreadable(file, `${messageOf(error)}.`)
  })
  if (text === null) return null
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw unreadable(file, `It is damaged: ${messageOf(error)}.`)
  }
  const parsed = v.safeParse(clusterFile, json)
  if (parsed.success) return parsed.output
  const layout = (json as { layout?: unknown } | null)?.layout
  const newer = typeof layout === 'number' && layout > 1
  throw unreadable(file, newer ? `It was written by a newer Flotilla (layout ${layout}).` : `It is damaged: ${v.summarize(parsed.issues)}.`)
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

/**
 * Where the command line reaches a running plane: a Unix socket in the state folder, or where that path is too long for one in a folder
 * of the user's own below the temporary one. On Windows a named pipe.
 */
export function controlSocketPath(stateDir: string, platform: NodeJS.Platform = process.platform): string {
  const digest = createHash('sha256').update(stateDir).digest('hex').slice(0, 16)
  if (platform === 'win32') return `\\\\.\\pipe\\flotilla-${digest}`
  const near = join(stateDir, 'control.sock')
  if (Buffer.byteLength(near) < LONGEST_SOCKET) return near
  return join(temporarySockets(), `${digest}.sock`)
}

/** Where sockets lie whose state folder has too long a path. */
export function temporarySockets(): string {
  return join(tmpdir(), `flotilla-${userInfo().uid}`)
}

/** Bytes that the path of a Unix socket may have on every system; Linux allows a few more. */
const LONGEST_SOCKET = 104

function notOurs(stateDir: string): FlotillaError {
  return new FlotillaError('STATE_UNREADABLE', {
    what: `${stateDir} is no state folder of Flotilla.`,
    why: 'It holds other files.',
    next: 'Choose an empty or a new folder with --state.',
  })
}

function unreadable(file: string, why: string): FlotillaError {
  return new FlotillaError('STATE_UNREADABLE', {
    what: `${file} cannot be read.`,
    why,
    next: 'Restore the state folder from a backup, update Flotilla, or choose another folder with --state.',
  })
}
