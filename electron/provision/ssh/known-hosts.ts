/**
 * known_hosts in OpenSSH's format: plain and hashed names, ports, patterns, `@revoked`. Source: sshd(8), "SSH_KNOWN_HOSTS FILE
 * FORMAT". Lines of `@cert-authority` are passed over: host certificates are not checked.
 */
import { createHmac } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../base/errors.ts'
import { systemRandom, type Random } from '../../base/random.ts'
import { keyText, parseKeyText, sameKey, type PublicKey } from './host-key.ts'
import { matchPatterns } from './patterns.ts'

export interface KnownHost {
  readonly key: PublicKey
  /** The names as they stand in the file: "moth,10.0.0.7", "[moth]:2222", "|1|salt|hash". */
  readonly names: string
  readonly revoked: boolean
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
    if (!names || names.startsWith('#') || marker === '@cert-authority') return []
    const key = parseKeyText(`${type} ${base64}`)
    return key ? [{ key, names, revoked: marker === '@revoked', source: `${path}:${index + 1}` }] : []
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

/** The known_hosts files of a user: our own, which is written, and those of OpenSSH, which are only read. */
export class KnownHosts {
  readonly #own: string
  readonly #others: readonly string[]
  readonly #random: Random

  constructor(options: { own: string; others: readonly string[]; random?: Random }) {
    this.#own = options.own
    this.#others = options.others
    this.#random = options.random ?? systemRandom
  }

  /** What is on record for a host, ours first. Missing and unreadable files count as empty. */
  async lookup(host: string, port: number): Promise<KnownHost[]> {
    const files = await Promise.all([this.#own, ...this.#others].map(async (path) => parseKnownHosts(await readText(path), path)))
    return files.flat().filter((entry) => entryMatches(entry, host, port))
  }

  /**
   * Compares a key with what is on record. A host that is on record with keys of other types only counts as changed too: it was
   * asked for a key of the types on record, so it no longer has them, or it is another host.
   */
  async check(host: string, port: number, key: PublicKey): Promise<KnownState> {
    const entries = await this.lookup(host, port)
    const revoked = entries.find((entry) => entry.revoked && sameKey(entry.key, key))
    if (revoked) return { state: 'changed', entry: revoked }
    const valid = entries.filter((entry) => !entry.revoked)
    const same = valid.find((entry) => sameKey(entry.key, key))
    if (same) return { state: 'known', entry: same }
    const other = valid.find((entry) => entry.key.type === key.type) ?? valid[0]
    return other ? { state: 'changed', entry: other } : { state: 'unknown' }
  }

  /** Puts a key on record in our own file in place of what it had for this host. The name is written hashed. */
  async remember(host: string, port: number, key: PublicKey): Promise<void> {
    const lines = (await this.#linesWithout(host, port)).concat(knownHostLine(host, port, key, this.#random))
    await this.#write(lines)
  }

  /** Takes a host off our own file. */
  async forget(host: string, port: number): Promise<void> {
    await this.#write(await this.#linesWithout(host, port))
  }

  async #linesWithout(host: string, port: number): Promise<string[]> {
    const text = await readText(this.#own)
    const drop = new Set(
      parseKnownHosts(text, '')
        .filter((entry) => !entry.revoked && entryMatches(entry, host, port))
        .map((entry) => Number(entry.source.slice(1))),
    )
    return text.split('\n').filter((line, index) => line && !drop.has(index + 1))
  }

  async #write(lines: readonly string[]): Promise<void> {
    await mkdir(dirname(this.#own), { recursive: true, mode: 0o700 })
    const part = `${this.#own}.new`
    await writeFile(part, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
    await rename(part, this.#own)
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
