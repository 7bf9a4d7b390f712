/**
 * What ssh_config says of a host: the user's file, then the system's. The first value of an option counts, IdentityFiles add up.
 * Source: ssh_config(5). `Match` knows all, host, originalhost, user and localuser; a block with another condition (exec, final,
 * canonical, tagged, localnetwork) never applies: nothing is run and nothing is looked up to find that out.
 */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { AlgorithmChanges } from './algorithms.ts'
import { matchPatterns } from './patterns.ts'
import { expandHome, readConfig, type ConfigLine } from './ssh-config-file.ts'

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
  /** Only `identityFiles` may be tried, from files or from the agent. */
  readonly identitiesOnly?: true
  /** The socket of an agent, or null for none at all; absent: the environment's. */
  readonly identityAgent?: string | null
  readonly proxyJump: readonly JumpHost[]
  /** A command of this computer whose input and output are the connection. */
  readonly proxyCommand?: string
  /** The name under which the host's key is on record, instead of its own. */
  readonly hostKeyAlias?: string
  /** Files to look into instead of the usual ones. */
  readonly knownHostsFiles?: readonly string[]
  /** A key that was never seen is taken and remembered; one that changed is refused all the same. */
  readonly acceptsNewKeys?: true
  readonly algorithms?: AlgorithmChanges
  /** Milliseconds. */
  readonly connectTimeoutMs?: number
}

export interface ConfigSource {
  /** Absolute path of the user's file. */
  readonly path: string
  /** The system's: "/etc/ssh/ssh_config". */
  readonly systemPath?: string
  readonly home: string
  /** The local user's name, for `%u`. */
  readonly localUser: string
  /** For "${NAME}" in paths. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface Asked {
  /** As it was given: the user decides `Match user`, and both stand for %r and %p. */
  readonly user?: string | undefined
  readonly port?: number | undefined
}

/** Reads the files (a missing one says nothing) and answers for one host. */
export async function hostConfig(host: string, source: ConfigSource, asked: Asked = {}): Promise<HostConfig> {
  const files = [await readConfig(source.path, source.home)]
  if (source.systemPath) files.push(await readConfig(source.systemPath, source.home))
  return resolveHost(host, [{ option: 'include', args: [], files }], source, asked)
}

type Resolving = Pick<ConfigSource, 'home' | 'localUser' | 'env'>

const SINGLE = new Set(
  'hostname user port proxyjump proxycommand hostkeyalias identitiesonly identityagent stricthostkeychecking kexalgorithms ciphers macs hostkeyalgorithms connecttimeout'.split(
    ' ',
  ),
)
const LISTS = new Set(['userknownhostsfile', 'globalknownhostsfile'])

export function resolveHost(host: string, lines: readonly ConfigLine[], source: Resolving, asked: Asked = {}): HostConfig {
  const first = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  const identityFiles: string[] = []
  const current = () => ({
    host: expandTokens(first.get('hostname') ?? host, { h: host }),
    originalhost: host,
    user: asked.user ?? first.get('user') ?? source.localUser,
    localuser: source.localUser,
  })
  /** A Host or Match block ends with the file that it stands in; a file that is included where nothing applies is passed over. */
  const walk = (all: readonly ConfigLine[], outer: boolean) => {
    let applies = outer
    for (const { option, args, files = [] } of all) {
      const value = args[0] ?? ''
      if (option === 'host') applies = outer && matchPatterns(args, host)
      else if (option === 'match') applies = outer && matches(args, current())
      else if (!applies) continue
      else if (option === 'include') for (const file of files) walk(file, true)
      else if (option === 'identityfile') identityFiles.push(value)
      else if (LISTS.has(option) && !lists.has(option)) lists.set(option, args)
      // Whichever of the two comes first is the way: ssh_config(5) on ProxyJump.
      else if ((option === 'proxyjump' && first.has('proxycommand')) || (option === 'proxycommand' && first.has('proxyjump'))) continue
      else if (SINGLE.has(option) && !first.has(option)) first.set(option, value)
    }
  }
  walk(lines, true)

  const user = first.get('user')
  const port = portOf(first.get('port'))
  const alias = first.get('hostkeyalias')
  const hostName = expandTokens(first.get('hostname') ?? host, { h: host })
  const remoteUser = asked.user ?? user ?? source.localUser
  const remotePort = String(asked.port ?? port ?? 22)
  const jumps = first.get('proxyjump') ?? 'none'
  const local = hostname()
  const tokens: Record<string, string> = {
    ...{ h: hostName, n: host, u: source.localUser, d: source.home, r: remoteUser, p: remotePort, j: jumps === 'none' ? '' : jumps },
    ...{ l: local, L: local.split('.')[0] ?? local, k: alias ?? host, i: String(process.getuid?.() ?? 0) },
  }
  tokens['C'] = createHash('sha1').update([local, hostName, remotePort, remoteUser, tokens['j']].join('')).digest('hex')
  const pathOf = (text: string) => expandTokens(expandHome(expandEnv(text, source.env ?? {}), source.home), tokens)
  const paths = [...(lists.get('userknownhostsfile') ?? []), ...(lists.get('globalknownhostsfile') ?? [])]
  const agent = first.get('identityagent')
  const command = first.get('proxycommand')
  const timeout = Number(first.get('connecttimeout'))
  const algorithms: AlgorithmChanges = Object.fromEntries(
    Object.entries({ kex: 'kexalgorithms', cipher: 'ciphers', mac: 'macs', hostKey: 'hostkeyalgorithms' }).flatMap(([field, option]) => {
      const change = first.get(option)
      return change ? [[field, change]] : []
    }),
  )
  return {
    hostName,
    ...(user ? { user } : {}),
    ...(port ? { port } : {}),
    identityFiles: identityFiles.filter((file) => file !== 'none').map(pathOf),
    ...(yes(first.get('identitiesonly')) ? { identitiesOnly: true } : {}),
    ...(agent === undefined || agent === 'SSH_AUTH_SOCK' ? {} : { identityAgent: agentSocket(agent, pathOf, source.env ?? {}) }),
    proxyJump: parseJumps(expandTokens(jumps, tokens)),
    ...(command && command.toLowerCase() !== 'none' ? { proxyCommand: expandTokens(command, tokens) } : {}),
    ...(alias ? { hostKeyAlias: alias } : {}),
    ...(lists.size ? { knownHostsFiles: paths.filter((file) => file !== 'none').map(pathOf) } : {}),
    ...(['accept-new', 'no', 'off'].includes(first.get('stricthostkeychecking') ?? '') ? { acceptsNewKeys: true } : {}),
    ...(Object.keys(algorithms).length ? { algorithms } : {}),
    ...(timeout > 0 ? { connectTimeoutMs: timeout * 1000 } : {}),
  }
}

const yes = (value: string | undefined) => ['yes', 'true'].includes(value?.toLowerCase() ?? '')

function agentSocket(value: string, pathOf: (text: string) => string, env: Readonly<Record<string, string | undefined>>): string | null {
  if (value.toLowerCase() === 'none') return null
  return value.startsWith('$') && !value.startsWith('${') ? (env[value.slice(1)] ?? null) : pathOf(value)
}

function matches(args: readonly string[], values: Readonly<Record<string, string>>): boolean {
  for (let i = 0; i < args.length;) {
    const word = args[i++] ?? ''
    const negated = word.startsWith('!')
    const keyword = word.slice(negated ? 1 : 0).toLowerCase()
    if (keyword === 'all') {
      if (negated) return false
      continue
    }
    const value = values[keyword]
    if (value === undefined) return false
    if (matchPatterns((args[i++] ?? '').split(','), value) === negated) return false
  }
  return args.length > 0
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

function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replace(/%(.)/g, (whole, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? whole)))
}

function expandEnv(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole)
}
