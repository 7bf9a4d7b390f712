/**
 * kubeconfig files. Source: kubernetes client-go `tools/clientcmd/api/v1`. A file that people have is merged into, never replaced: what
 * it says otherwise, its comments and its order stay.
 */
import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'
import type { Clock } from '../base/clock.ts'
import { FlotillaError, systemCode } from '../base/errors.ts'

/** One cluster with the one user that we know for it. */
export interface KubeconfigEntry {
  /** Of the context; cluster and user are called the same. */
  readonly name: string
  /** "https://127.0.0.1:6443" */
  readonly server: string
  /** PEM. */
  readonly ca: string
  /** PEM. */
  readonly certificate: { readonly cert: string; readonly key: string }
  readonly namespace?: string
}

export interface MergeResult {
  readonly changed: boolean
  /** The copy of the file as it was; null if there was none or nothing changed. */
  readonly backup: string | null
  readonly currentContext: string
}

/** A whole file for this cluster alone. */
export function writeKubeconfig(entry: KubeconfigEntry): string {
  const document = new Document({ apiVersion: 'v1', kind: 'Config', clusters: [], users: [], contexts: [] })
  apply(document, entry)
  return document.toString(STYLE)
}

/** The text with the cluster in it. Throws FlotillaError `INVALID_INPUT` if it is no kubeconfig; `file` names it in the error. */
export function mergeKubeconfig(text: string, entry: KubeconfigEntry, file: string): string {
  const document = readDocument(text, file)
  apply(document, entry)
  return document.toString(STYLE)
}

/** The text without the cluster of that name; a current context that leads to it goes too. */
export function removeFromKubeconfig(text: string, name: string, file: string): string {
  const document = readDocument(text, file)
  for (const section of SECTIONS) {
    const list = listOf(document, section, file)
    const at = indexOf(list, name)
    if (at >= 0) list.delete(at)
  }
  if (document.get('current-context') === name) document.set('current-context', '')
  return document.toString(STYLE)
}

/**
 * Merges into a file, which is made if it is missing. The new text is written beside it and renamed; links are followed, and the old
 * text is kept as `<file>.flotilla-backup` the first time. Throws FlotillaError `INVALID_INPUT` for a file that is no kubeconfig.
 */
export async function mergeIntoFile(file: string, entry: KubeconfigEntry, clock: Clock): Promise<MergeResult> {
  return rewrite(file, clock, (text) => mergeKubeconfig(text, entry, file))
}

export async function removeFromFile(file: string, name: string, clock: Clock): Promise<MergeResult> {
  return rewrite(file, clock, (text) => removeFromKubeconfig(text, name, file))
}

/** What a client needs to reach the current context's cluster, or the named one's; files that it refers to are read. */
export async function readKubeconfig(file: string, context?: string): Promise<Connection> {
  const config = readDocument(await readFile(file, 'utf8'), file).toJS() as Config
  const name = context ?? config['current-context'] ?? ''
  const found = config.contexts?.find((one) => one.name === name)?.context
  if (!found) throw unusable(file, `It has no context ${JSON.stringify(name)}.`, 'Choose one of its contexts.')
  const cluster = config.clusters?.find((one) => one.name === found.cluster)?.cluster
  if (!cluster?.server) throw unusable(file, `Its context ${JSON.stringify(name)} names no cluster of the file.`, 'Correct the context.')
  const user = config.users?.find((one) => one.name === found.user)?.user ?? {}
  const data = async (inline: string | undefined, path: string | undefined) =>
    inline
      ? Buffer.from(inline, 'base64').toString('utf8')
      : path
        ? readFile(join(path.startsWith('/') ? '/' : dirname(file), path), 'utf8')
        : undefined
  const [ca, cert, key] = await Promise.all([
    data(cluster['certificate-authority-data'], cluster['certificate-authority']),
    data(user['client-certificate-data'], user['client-certificate']),
    data(user['client-key-data'], user['client-key']),
  ])
  const token = user.token ?? (user.tokenFile ? (await readFile(user.tokenFile, 'utf8')).trim() : undefined)
  return {
    context: name,
    server: cluster.server,
    ca,
    servername: cluster['tls-server-name'],
    namespace: found.namespace,
    identity: { ...(cert && key ? { certificate: { cert, key } } : {}), ...(token ? { token } : {}) },
  }
}

export interface Connection {
  readonly context: string
  readonly server: string
  /** PEM. */
  readonly ca: string | undefined
  readonly servername: string | undefined
  readonly namespace: string | undefined
  readonly identity: { readonly certificate?: { readonly cert: string; readonly key: string }; readonly token?: string }
}

interface Config {
  'current-context'?: string
  contexts?: { name: string; context?: { cluster?: string; user?: string; namespace?: string } }[]
  clusters?: {
    name: string
    cluster?: { server?: string; 'certificate-authority'?: string; 'certificate-authority-data'?: string; 'tls-server-name'?: string }
  }[]
  users?: {
    name: string
    user?: {
      'client-certificate'?: string
      'client-certificate-data'?: string
      'client-key'?: string
      'client-key-data'?: string
      token?: string
      tokenFile?: string
    }
  }[]
}

const SECTIONS = ['clusters', 'users', 'contexts'] as const
const STYLE = { lineWidth: 0, flowCollectionPadding: true }

function readDocument(text: string, file: string): Document {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) throw unusable(file, `It is not YAML: ${error.message}`, 'Correct the file, or move it away.', error)
  if (document.contents === null) {
    const empty = new Document({ apiVersion: 'v1', kind: 'Config' })
    empty.commentBefore = document.commentBefore ?? document.comment
    return empty
  }
  if (!isMap(document.contents)) throw unusable(file, 'It does not hold fields and values.', 'Correct the file, or move it away.')
  const kind = document.get('kind')
  if (kind !== undefined && kind !== 'Config')
    throw unusable(file, `Its kind is ${JSON.stringify(kind)}, not "Config".`, 'Name another file.')
  return document
}

function apply(document: Document, entry: KubeconfigEntry): void {
  const { name, server, ca, certificate, namespace } = entry
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  put(document, 'clusters', name, 'cluster', { server, 'certificate-authority-data': base64(ca) }, [
    'certificate-authority',
    'insecure-skip-tls-verify',
  ])
  put(
    document,
    'users',
    name,
    'user',
    { 'client-certificate-data': base64(certificate.cert), 'client-key-data': base64(certificate.key) },
    ['client-certificate', 'client-key', 'token', 'tokenFile', 'exec', 'auth-provider'],
  )
  // The namespace that a person chose for the context stays.
  const known = find(listOf(document, 'contexts', ''), name)?.getIn(['context', 'namespace'])
  const chosen = known ?? namespace
  put(document, 'contexts', name, 'context', { cluster: name, user: name, ...(chosen ? { namespace: chosen } : {}) }, [])
  if (!document.has('apiVersion')) document.set('apiVersion', 'v1')
  if (!document.has('kind')) document.set('kind', 'Config')
  if (!document.get('current-context')) document.set('current-context', name)
}

/** Sets our fields of an entry and leaves others there are; `stale` fields would contradict ours. */
function put(
  document: Document,
  section: (typeof SECTIONS)[number],
  name: string,
  inner: string,
  fields: object,
  stale: readonly string[],
): void {
  const list = listOf(document, section, '')
  const known = find(list, name)
  if (!known) {
    list.add(document.createNode({ name, [inner]: fields }))
    return
  }
  if (!isMap(known.get(inner))) {
    known.set(inner, document.createNode(fields))
    return
  }
  for (const [key, value] of Object.entries(fields)) if (known.getIn([inner, key]) !== value) known.setIn([inner, key], value)
  for (const key of stale) known.deleteIn([inner, key])
}

function listOf(document: Document, section: string, file: string): YAMLSeq {
  const list = document.get(section)
  if (isSeq(list)) return list
  if (list !== undefined && list !== null) throw unusable(file, `Its ${section} are not a list.`, 'Correct the file, or move it away.')
  const empty = document.createNode([])
  document.set(section, empty)
  return empty
}

function indexOf(list: YAMLSeq, name: string): number {
  return list.items.findIndex((item) => isMap(item) && item.get('name') === name)
}

function find(list: YAMLSeq, name: string): YAMLMap | undefined {
  const item = list.items[indexOf(list, name)]
  return isMap(item) ? item : undefined
}

async function rewrite(file: string, clock: Clock, change: (text: string) => string): Promise<MergeResult> {
  const target = await realpath(file).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return file
    throw error
  })
  const before = await readFile(target, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  const after = change(before ?? '')
  const current = parseDocument(after).get('current-context')
  const currentContext = typeof current === 'string' ? current : ''
  if (after === before) return { changed: false, backup: null, currentContext }
  const mode = before === null ? 0o600 : (await lstat(target)).mode & 0o777
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const backup = before === null ? null : `${target}.flotilla-backup`
  if (backup) await keepFirst(target, backup)
  const temporary = join(dirname(target), `.${basename(target)}.${clock.now()}`)
  try {
    await using handle = await open(temporary, 'wx', mode)
    await handle.writeFile(after)
    await handle.sync()
    await chmod(temporary, mode)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  return { changed: true, backup, currentContext }
}

async function keepFirst(file: string, backup: string): Promise<void> {
  try {
    await copyFile(file, backup, constants.COPYFILE_EXCL)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function unusable(file: string, why: string, next: string, cause?: unknown): FlotillaError {
  return new FlotillaError('INVALID_INPUT', { what: `The kubeconfig file ${file} cannot be used.`, why, next, cause })
}
