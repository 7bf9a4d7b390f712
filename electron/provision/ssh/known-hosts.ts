/**
 * known_hosts in OpenSSH's format: plain and hashed names, ports, patterns, several keys of a host, `@revoked`. Source: sshd(8),
 * "SSH_KNOWN_HOSTS FILE FORMAT". A line of `@cert-authority` vouches for no plain key: host certificates are not checked, and who is
 * told that a host is unknown is told of it.
 */
import { createHmac } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Mutex } from '../../base/async.ts'
import { systemCode } from '../../base/errors.ts'
import { systemRandom, type Random } from '../../base/random.ts'
import { keyText, parseKeyText, sameKey, type PublicKey } from './host-key.ts'
import { matchPatterns } from './patterns.ts'

export interface KnownHost {
  readonly key: PublicKey
  /** The names as they stand in the file: "moth,10.0.0.7", "[moth]:2222", "|1|salt|hash". */
  readonly names: string
  readonly revoked: boolean
  /** A key that signs hosts' certificates, not one of a host. */
  readonly authority: boolean
  /** Path and line: "/home/ana/.ssh/known_hosts:12". */
  readonly source: string
}

export type KnownState =
  | { readonly state: 'known'; readonly entry: KnownHost }
  | { readonly state: 'unknown' }
  /** Another key is on record, or this one is revoked. */
  | { readonly state: 'changed'; readonly entry: KnownHost }

/** The name under which a host is on record: bare on port 22, else "[host]:port". */
export function knownName(host: string, port: number): string {
  const lower = host.toLowerCase()
  return port === 22 ? lower : `[${lower}]:${port}`
}

export function parseKnownHosts(text: string, path: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/\s+/)
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
    const [names, type, base64] = fields
    if (!names || names.startsWith('#')) return []
    const key = parseKeyText(`${type} ${base64}`)
    const marks = { revoked: marker === '@revoked', authority: marker === '@cert-authority' }
    // An unknown marker may mean anything but that the key is to be trusted.
    if (!key || (marker && !marks.revoked && !marks.authority)) return []
    return [{ key, names, ...marks, source: `${path}:${index + 1}` }]
  })
}

/** Whether an entry's names mean this host. */
export function entryMatches(entry: KnownHost, host: string, port: number): boolean {
  const name = knownName(host, port)
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(entry.names)
  if (hashed) {
    const [, salt = '', hash = ''] = hashed
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  }
  return matchPatterns(entry.names.split(','), name)
}

/** A line for known_hosts; with `random` the name is hashed, as `HashKnownHosts yes` does. */
export function knownHostLine(host: string, port: number, key: PublicKey, random?: Random): string {
  const name = knownName(host, port)
  if (!random) return `${name} ${keyText(key)}`
  const salt = Buffer.from(random.bytes(20))
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${hash} ${keyText(key)}`
}

/** Where and under which name a host is looked for; absent: the user's files and the host's own name. */
export interface KnownHostsView {
  /** HostKeyAlias: stands alone, without a port. */
  readonly alias?: string | undefined
  /** UserKnownHostsFile and GlobalKnownHostsFile, in place of OpenSSH's usual ones; ours is read in any case. */
  readonly files?: readonly string[] | undefined
}

/** The known_hosts files of a user: our own, which is written, and those of OpenSSH, which are only read. */
export class KnownHosts {
  readonly #own: string
  readonly #others: readonly string[]
  readonly #random: Random
  readonly #writing = new Mutex()

  constructor(options: { own: string; others: readonly string[]; random?: Random }) {
    this.#own = options.own
    this.#others = options.others
    this.#random = options.random ?? systemRandom
  }

  /** The keys on record for a host, ours first, revoked ones too. Missing and unreadable files count as empty. */
  async lookup(host: string, port: number, view: KnownHostsView = {}): Promise<KnownHost[]> {
    return (await this.#matching(host, port, view)).filter((entry) => !entry.authority)
  }

  /** The authorities that may sign certificates of this host. */
  async authorities(host: string, port: number, view: KnownHostsView = {}): Promise<KnownHost[]> {
    return (await this.#matching(host, port, view)).filter((entry) => entry.authority)
  }

  /**
   * Compares a key with what is on record. A host that is on record with keys of other types only counts as changed too: it was
   * asked for a key of the types on record, so it no longer has them, or it is another host.
   */
  async check(host: string, port: number, key: PublicKey, view: KnownHostsView = {}): Promise<KnownState> {
    const entries = await this.lookup(host, port, view)
    const revoked = entries.find((entry) => entry.revoked && sameKey(entry.key, key))
    if (revoked) return { state: 'changed', entry: revoked }
    const valid = entries.filter((entry) => !entry.revoked)
    const same = valid.find((entry) => sameKey(entry.key, key))
    if (same) return { state: 'known', entry: same }
    const other = valid.find((entry) => entry.key.type === key.type) ?? valid[0]
    return other ? { state: 'changed', entry: other } : { state: 'unknown' }
  }

  /**
   * Puts a key on record in our own file in place of what it had for this host; other names on the same lines, comments and markers
   * stay. The name is written hashed.
   */
  async remember(host: string, port: number, key: PublicKey): Promise<void> {
    await this.#rewrite(host, port, knownHostLine(host, port, key, this.#random))
  }

  /** Takes a host off our own file. */
  async forget(host: string, port: number): Promise<void> {
    await this.#rewrite(host, port)
  }

  async #matching(host: string, port: number, { alias, files = this.#others }: KnownHostsView): Promise<KnownHost[]> {
    const read = await Promise.all([this.#own, ...files].map(async (path) => parseKnownHosts(await readText(path), path)))
    // What we wrote has the host's own name: it stands beside an alias.
    const named = (entry: KnownHost) => entryMatches(entry, host, port) || (alias !== undefined && entryMatches(entry, alias, 22))
    const aliased = (entry: KnownHost) => entryMatches(entry, alias ?? host, alias === undefined ? port : 22)
    return read.flatMap((entries, index) => entries.filter(index === 0 ? named : aliased))
  }

  /** One writer at a time, and whole files only: several machines are added at once. */
  async #rewrite(host: string, port: number, ...added: readonly string[]): Promise<void> {
    await this.#writing.run(async () => {
      const text = await readText(this.#own)
      const drop = new Map(
        parseKnownHosts(text, '')
          .filter((entry) => !entry.revoked && !entry.authority && entryMatches(entry, host, port))
          .map((entry) => [Number(entry.source.slice(1)), entry]),
      )
      const lines = text.split('\n').flatMap((line, index) => {
        const entry = drop.get(index + 1)
        if (!entry) return line ? [line] : []
        const names = entry.names.split(',').filter((name) => name.toLowerCase() !== knownName(host, port))
        return entry.names.startsWith('|') || names.length === 0 ? [] : [line.replace(entry.names, () => names.join(','))]
      })
      await mkdir(dirname(this.#own), { recursive: true, mode: 0o700 })
      const part = `${this.#own}.new`
      await writeFile(part, [...lines, ...added].map((line) => `${line}\n`).join(''), { mode: 0o600 })
      await rename(part, this.#own)
    })
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '')) return ''
    throw error
  }
}
