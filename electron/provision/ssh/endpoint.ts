/** From what a person gave to a signed-in connection: names of ssh_config, keys, agent, jump host, pinned keys. */
import { readFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import { agentWith } from './agent.ts'
import { algorithmsFor } from './algorithms.ts'
import type { SignIn } from './auth.ts'
import { connect, type ConnectOptions, type SshConnection } from './connection.ts'
import { fingerprint, keyText, parseKeyText, requireKey, sameKey, type PublicKey } from './host-key.ts'
import { KnownHosts, type KnownHostsView } from './known-hosts.ts'
import { loadKey, type PrivateKey } from './keys.ts'
import { proxyCommand } from './proxy-command.ts'
import { scanHostKey } from './scan.ts'
import { hostConfig, type HostConfig } from './ssh-config.ts'

/** The surroundings in which the user runs ssh. */
export interface SshEnvironment {
  readonly home: string
  readonly localUser: string
  /** `SSH_AUTH_SOCK`; absent: no agent. */
  readonly agentSocket?: string
  readonly configFile: string
  /** The system's ssh_config, which is read after the user's. */
  readonly systemConfigFile?: string
  /** What "${NAME}" in ssh_config stands for. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly knownHosts: KnownHosts
  readonly clock: Clock
}

/** The user's own, with our known_hosts in `dir`. */
export function userSshEnvironment(dir: string, clock: Clock, env: NodeJS.ProcessEnv = process.env): SshEnvironment {
  const home = homedir()
  const others = [
    ...['known_hosts', 'known_hosts2'].map((file) => join(home, '.ssh', file)),
    ...['ssh_known_hosts', 'ssh_known_hosts2'].map((file) => `/etc/ssh/${file}`),
  ]
  return {
    home,
    localUser: userInfo().username,
    ...agentOf(env),
    configFile: join(home, '.ssh/config'),
    systemConfigFile: '/etc/ssh/ssh_config',
    env,
    knownHosts: new KnownHosts({ own: join(dir, 'known_hosts'), others }),
    clock,
  }
}

/** Windows has its agent behind a fixed name. */
function agentOf(env: NodeJS.ProcessEnv): { agentSocket?: string } {
  const agentSocket = env['SSH_AUTH_SOCK'] || (process.platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : '')
  return agentSocket ? { agentSocket } : {}
}

export interface Hop {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Pinned: "ssh-ed25519 AAAA…"; absent: what known_hosts has. */
  readonly hostKey?: string | undefined
}

export interface Endpoint extends Hop {
  readonly jump?: Hop | undefined
}

/** Secrets of one host. */
export interface HostCredentials {
  readonly password?: string | undefined
  /** A path on this computer; `~` is the user's home. */
  readonly keyFile?: string | undefined
  readonly passphrase?: string | undefined
  readonly useAgent?: boolean | undefined
  /** A one-time code, where the host asks for one. */
  readonly code?: string | undefined
}

/** As the contract hands them over: for one sign-in, never stored. */
export interface Credentials extends HostCredentials {
  readonly sudoPassword?: string | undefined
  /** Of the jump host that was named; absent: the same as the machine's. Jump hosts of ssh_config use what ssh_config says. */
  readonly jump?: HostCredentials | undefined
}

/** A connection and the one that it goes through, if any; the latter ends with it. */
export interface MachineConnection {
  readonly connection: SshConnection
  readonly via: SshConnection | null
}

export interface EndpointOptions {
  readonly environment: SshEnvironment
  readonly credentials: Credentials
  /** The cluster's own key, tried first. */
  readonly ownKey?: PrivateKey | undefined
  readonly signal?: AbortSignal | undefined
  readonly keepAlive?: ConnectOptions['keepAlive']
}

/**
 * Connects and signs in, through jump hosts if there are any. Throws what `connect` throws, SSH_KEY_UNUSABLE for the key file that
 * was named, and SSH_HOST_KEY_UNKNOWN for a host without a pinned or known key.
 */
export async function connectEndpoint(endpoint: Endpoint, options: EndpointOptions): Promise<MachineConnection> {
  const config = await configOf(endpoint, options.environment)
  const via = await connectJump(endpoint, config, options)
  try {
    const connection = await connectHop(endpoint, config, via, options)
    if (via) connection.closed.addEventListener('abort', () => via.destroy(), { once: true })
    return { connection, via }
  } catch (error) {
    via?.destroy()
    throw error
  }
}

/** What a host shows now, against what is on record. */
export interface ScannedKey {
  readonly key: string
  readonly fingerprint: string
  readonly state: 'known' | 'unknown' | 'changed'
  readonly pinned?: { readonly fingerprint: string; readonly source: string }
}

/** Asks a host for its key. Only jump hosts are signed in to. */
export async function scanEndpoint(endpoint: Endpoint, options: EndpointOptions): Promise<ScannedKey> {
  const { environment } = options
  const config = await configOf(endpoint, environment)
  const via = await connectJump(endpoint, config, options)
  try {
    const key = await scanHop(endpoint, config, via, options)
    const found = await environment.knownHosts.check(endpoint.host, endpoint.port, key, viewOf(config))
    const shown = { key: keyText(key), fingerprint: fingerprint(key) }
    if (found.state !== 'changed') return { ...shown, state: found.state }
    const { entry } = found
    const source = entry.revoked ? `${entry.source} (revoked)` : entry.source
    return { ...shown, state: 'changed', pinned: { fingerprint: fingerprint(entry.key), source } }
  } finally {
    await via?.[Symbol.asyncDispose]()
  }
}

async function configOf({ host, port, user }: Partial<Hop> & { host: string }, environment: SshEnvironment): Promise<HostConfig> {
  const { configFile, systemConfigFile, home, localUser, env } = environment
  return await hostConfig(
    host,
    { path: configFile, home, localUser, ...(systemConfigFile ? { systemPath: systemConfigFile } : {}), ...(env ? { env } : {}) },
    { user: user || undefined, port: port || undefined },
  )
}

const viewOf = (config: HostConfig): KnownHostsView => ({ alias: config.hostKeyAlias, files: config.knownHostsFiles })

async function scanHop(hop: Hop, config: HostConfig, via: SshConnection | null, options: EndpointOptions): Promise<PublicKey> {
  const { environment, signal } = options
  const known = await environment.knownHosts.lookup(hop.host, hop.port, viewOf(config))
  return await scanHostKey(
    { host: config.hostName, port: hop.port },
    {
      clock: environment.clock,
      prefer: known.filter((entry) => !entry.revoked).map((entry) => entry.key.type),
      via: via ?? undefined,
      transport: transportOf(config, via),
      algorithms: algorithmsFor(config.algorithms ?? {}),
      signal,
    },
  )
}

/** A jump host that was named stands in for both ways of ssh_config. */
function transportOf({ proxyCommand: command }: HostConfig, via: SshConnection | null) {
  return command === undefined || via ? undefined : async (signal: AbortSignal | undefined) => proxyCommand(command, signal)
}

/** ProxyJump may lead in a circle. */
const MAX_JUMPS = 8

/**
 * The jump host that was named, else the last of ssh_config's ProxyJump, which is reached through those before it; the first of them
 * through the jump hosts of its own in ssh_config, as by ssh.
 */
async function connectJump(endpoint: Endpoint, config: HostConfig, options: EndpointOptions, depth = 0): Promise<SshConnection | null> {
  const named = endpoint.jump
  const hops: Hop[] = named ? [named] : config.proxyJump.map((jump) => ({ host: jump.host, port: jump.port ?? 0, user: jump.user ?? '' }))
  if (hops.length && depth >= MAX_JUMPS)
    throw new FlotillaError('INVALID_INPUT', {
      what: `There is no way to ${endpoint.host}.`,
      why: `ProxyJump in ssh_config leads over more than ${MAX_JUMPS} hosts, or in a circle.`,
      next: 'Look at ProxyJump of its jump hosts in ~/.ssh/config.',
    })
  // Secrets were given for the machine and for the jump host that was named. Others use what ssh_config says of them, as with ssh.
  const credentials: Credentials = options.credentials.jump ?? (named ? options.credentials : {})
  const forHop = { ...options, credentials }
  let via: SshConnection | null = null
  try {
    for (const [index, hop] of hops.entries()) {
      const own = await configOf(hop, options.environment)
      const complete = { ...hop, port: hop.port || own.port || 22, user: hop.user || own.user || options.environment.localUser }
      const before: SshConnection | null = via ?? (index === 0 ? await connectJump({ ...complete }, own, forHop, depth + 1) : null)
      via = before
      const next = await connectHop(complete, own, before, forHop)
      if (before) next.closed.addEventListener('abort', () => before.destroy(), { once: true })
      via = next
    }
    return via
  } catch (error) {
    via?.destroy()
    throw error
  }
}

async function connectHop(hop: Hop, config: HostConfig, via: SshConnection | null, options: EndpointOptions): Promise<SshConnection> {
  const { environment, signal, keepAlive } = options
  return await connect({
    host: config.hostName,
    port: hop.port,
    user: hop.user,
    hostKeys: await pinnedKeys(hop, config, via, options),
    signIn: await signInOf(config, options),
    via: via ?? undefined,
    transport: transportOf(config, via),
    algorithms: algorithmsFor(config.algorithms ?? {}),
    clock: environment.clock,
    signal,
    ...(config.connectTimeoutMs === undefined ? {} : { timeoutMs: config.connectTimeoutMs }),
    ...(keepAlive ? { keepAlive } : {}),
  })
}

/** Throws SSH_HOST_KEY_UNKNOWN without any, SSH_HOST_KEY_CHANGED if it was revoked since. */
async function pinnedKeys(hop: Hop, config: HostConfig, via: SshConnection | null, options: EndpointOptions): Promise<PublicKey[]> {
  const { knownHosts } = options.environment
  const view = viewOf(config)
  const known = await knownHosts.lookup(hop.host, hop.port, view)
  const keys = hop.hostKey === undefined ? known.filter((entry) => !entry.revoked).map((entry) => entry.key) : [requireKey(hop.hostKey)]
  const revoked = known.find((entry) => entry.revoked && keys.some((key) => sameKey(key, entry.key)))
  if (revoked)
    throw new FlotillaError('SSH_HOST_KEY_CHANGED', {
      what: `The key of ${hop.host} must not be trusted any more.`,
      why: `${revoked.source} marks ${fingerprint(revoked.key)} as revoked.`,
      next: 'Give the host a new key, then remove the machine and add it again.',
    })
  if (keys.length) return keys
  if (config.acceptsNewKeys) {
    const shown = await scanHop(hop, config, via, options)
    if (!known.some((entry) => sameKey(entry.key, shown))) {
      await knownHosts.remember(hop.host, hop.port, shown)
      return [shown]
    }
  }
  const [authority] = await knownHosts.authorities(hop.host, hop.port, view)
  throw new FlotillaError('SSH_HOST_KEY_UNKNOWN', {
    what: `The key of ${hop.host}${hop.port === 22 ? '' : `:${hop.port}`} was never confirmed.`,
    why: authority
      ? `${authority.source} trusts an authority for it, but Flotilla does not read hosts' certificates; its own key is in none of the known_hosts files.`
      : 'It is in none of the known_hosts files.',
    next: 'Compare its fingerprint with the one that the host prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and confirm it.',
  })
}

/** OpenSSH's default identity files. */
const DEFAULT_IDENTITIES = ['.ssh/id_ed25519', '.ssh/id_ecdsa', '.ssh/id_rsa']

/**
 * What was given explicitly is all that is tried beside our own key. With nothing given, what `ssh` would try: the identity files of
 * ssh_config or the default ones, as far as they need no passphrase, and the agent, of which `IdentitiesOnly` leaves the keys of those
 * files.
 */
async function signInOf(config: HostConfig, { credentials, environment, ownKey }: EndpointOptions): Promise<SignIn> {
  const { keyFile, passphrase, password, useAgent, code } = credentials
  const keys: PrivateKey[] = ownKey ? [ownKey] : []
  const nothing = keyFile === undefined && password === undefined && useAgent === undefined && code === undefined
  const files = config.identityFiles.length ? config.identityFiles : DEFAULT_IDENTITIES.map((file) => join(environment.home, file))
  if (keyFile !== undefined) keys.push(await loadKey(keyFile.replace(/^~(?=\/)/, environment.home), passphrase))
  else if (nothing)
    for (const file of files) {
      const key = await loadKey(file, passphrase).catch(() => null)
      if (key) keys.push(key)
    }
  const socket = config.identityAgent === undefined ? environment.agentSocket : (config.identityAgent ?? undefined)
  if (useAgent && socket === undefined)
    throw new FlotillaError('SSH_KEY_UNUSABLE', {
      what: 'There is no ssh-agent.',
      why:
        config.identityAgent === null ? 'IdentityAgent in ssh_config says none for this host.' : 'SSH_AUTH_SOCK is not set for Flotilla.',
      next: 'Start Flotilla from a session with an agent, or choose a key file or a password.',
    })
  const agent =
    socket === undefined || !(useAgent || nothing)
      ? undefined
      : config.identitiesOnly
        ? agentWith(
            socket,
            (await Promise.all(files.map(publicKeyBeside))).filter((key) => key !== null),
          )
        : socket
  return {
    keys,
    ...(agent === undefined ? {} : { agent }),
    ...(password === undefined ? {} : { password }),
    ...(code === undefined ? {} : { code }),
  }
}

/** The public key of an identity file, which may itself be the public one while only the agent has the other. */
async function publicKeyBeside(file: string): Promise<PublicKey | null> {
  for (const path of [`${file}.pub`, file]) {
    const key = parseKeyText(await readFile(path, 'utf8').catch(() => ''))
    if (key) return key
  }
  return null
}
