/**
 * What the user's `~/.ssh/config` says of a host: HostName, User, Port, IdentityFile and ProxyJump. The first value of an option
 * counts, IdentityFiles add up. Source: ssh_config(5). `Match` blocks count only as `Match all` and `Match host`.
 */
import { glob, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { systemCode } from '../../base/errors.ts'
import { matchPatterns } from './patterns.ts'

export interface JumpHost {
  readonly host: string
  readonly user?: string
  readonly port?: number
}

export interface HostConfig {
  /** The name or address to connect to; what was asked for if the file says nothing. */
  readonly hostName: string
  readonly user?: string
  readonly port?: number
  /** Absolute paths, in order. */
  readonly identityFiles: readonly string[]
  readonly proxyJump: readonly JumpHost[]
}

/** One line: the option in lower case and its arguments. */
interface Line {
  readonly option: string
  readonly args: readonly string[]
}

export interface ConfigSource {
  /** Absolute path of the file. */
  readonly path: string
  readonly home: string
  /** The local user's name, for `%u`. */
  readonly localUser: string
}

const MAX_INCLUDE_DEPTH = 16

/** Reads the file (a missing one says nothing) and answers for one host. */
export async function hostConfig(host: string, source: ConfigSource): Promise<HostConfig> {
  const lines = await readLines(source.path, source, 0)
  return resolveHost(host, lines, source)
}

async function readLines(path: string, source: ConfigSource, depth: number): Promise<Line[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  }
  const lines: Line[] = []
  for (const line of parseLines(text)) {
    if (line.option !== 'include' || depth >= MAX_INCLUDE_DEPTH) {
      lines.push(line)
      continue
    }
    for (const pattern of line.args) {
      const expanded = expandHome(pattern, source.home)
      const absolute = isAbsolute(expanded) ? expanded : join(dirname(source.path), expanded)
      const files = await Array.fromAsync(glob(absolute))
      for (const file of files.sort()) lines.push(...(await readLines(file, source, depth + 1)))
    }
  }
  return lines
}

export function parseLines(text: string): Line[] {
  return text.split('\n').flatMap((raw) => {
    const line = raw.trim()
    if (!line || line.startsWith('#')) return []
    const match = /^(\S+?)(?:\s*=\s*|\s+)(.*)$/.exec(line)
    if (!match) return []
    const args = [...(match[2] ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
    const comment = args.findIndex((arg) => arg.startsWith('#'))
    return [{ option: (match[1] ?? '').toLowerCase(), args: comment === -1 ? args : args.slice(0, comment) }]
  })
}

export function resolveHost(host: string, lines: readonly Line[], source: Pick<ConfigSource, 'home' | 'localUser'>): HostConfig {
  const first = new Map<string, string>()
  const identityFiles: string[] = []
  let applies = true
  for (const { option, args } of lines) {
    const value = args[0] ?? ''
    if (option === 'host') applies = matchPatterns(args, host)
    else if (option === 'match') applies = matches(args, host)
    else if (!applies) continue
    else if (option === 'identityfile') identityFiles.push(value)
    else if (['hostname', 'user', 'port', 'proxyjump'].includes(option) && !first.has(option)) first.set(option, value)
  }
  const user = first.get('user')
  const port = portOf(first.get('port'))
  const hostName = expandTokens(first.get('hostname') ?? host, { h: host })
  const tokens = { h: hostName, n: host, u: source.localUser, d: source.home, r: user ?? source.localUser, p: String(port ?? 22) }
  return {
    hostName,
    ...(user ? { user } : {}),
    ...(port ? { port } : {}),
    identityFiles: identityFiles.filter((file) => file !== 'none').map((file) => expandTokens(expandHome(file, source.home), tokens)),
    proxyJump: parseJumps(first.get('proxyjump') ?? 'none'),
  }
}

function matches(args: readonly string[], host: string): boolean {
  const [keyword, value] = args
  if (keyword?.toLowerCase() === 'all') return true
  if (keyword?.toLowerCase() === 'host' && args.length === 2) return matchPatterns((value ?? '').split(','), host)
  return false
}

/** "user@host:port,…" or "ssh://user@host:port"; the first is the one to connect to. */
export function parseJumps(text: string): JumpHost[] {
  if (text.toLowerCase() === 'none') return []
  return text.split(',').flatMap((part) => {
    const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(part.trim())
    if (!match) return []
    const [, user, bracketed, bare, port] = match
    const number = portOf(port)
    return [{ host: bracketed ?? bare ?? '', ...(user ? { user } : {}), ...(number ? { port: number } : {}) }]
  })
}

function portOf(text: string | undefined): number | undefined {
  const port = Number(text)
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined
}

function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
}

function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replace(/%(.)/g, (whole, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? whole)))
}
