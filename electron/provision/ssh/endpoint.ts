/** From what a person gave to a signed-in connection: names of ssh_config, keys, agent, jump host, pinned keys. */
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import type { SignIn } from './auth.ts'
import { connect, type ConnectOptions, type SshConnection } from './connection.ts'
import { fingerprint, keyText, requireKey, sameKey, type PublicKey } from './host-key.ts'
import { KnownHosts } from './known-hosts.ts'
import { loadKey, type PrivateKey } from './keys.ts'
import { scanHostKey } from './scan.ts'
import { hostConfig, type HostConfig } from './ssh-config.ts'

/** The surroundings in which the user runs ssh. */
export interface SshEnvironment {
  readonly home: string
  readonly localUser: string
  /** `SSH_AUTH_SOCK`; absent: no agent. */
  readonly agentSocket?: string
  readonly configFile: string
  readonly knownHosts: KnownHosts
  readonly clock: Clock
}

/** The user's own, with our known_hosts in `dir`. */
export function userSshEnvironment(dir: string, clock: Clock, env: NodeJS.ProcessEnv = process.env): SshEnvironment {
  const home = homedir()
  const others = [join(home, '.ssh/known_hosts'), join(home, '.ssh/known_hosts2'), '/etc/ssh/ssh_known_hosts']
  return {
    home,
    localUser: userInfo().username,
    ...agentOf(env),
    configFile: join(home, '.ssh/config'),
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

/** As the contract hands them over: for one sign-in, never stored. */
export interface Credentials {
  readonly password?: string | undefined
  /** A path on this computer; `~` is the user's home. */
  readonly keyFile?: string | undefined
  readonly passphrase?: string | undefined
  readonly useAgent?: boolean | undefined
  readonly sudoPassword?: string | undefined
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
 * Connects and signs in, through a jump host if there is one. Throws what `connect` throws, SSH_KEY_UNUSABLE for the key file that
 * was named, and SSH_HOST_KEY_UNKNOWN for a host without a pinned or known key.
 */
export async function connectEndpoint(endpoint: Endpoint, options: EndpointOptions): Promise<MachineConnection> {
  const config = await configOf(endpoint.host, options.environment)
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

/** Asks a host for its key. Only a jump host is signed in to. */
export async function scanEndpoint(endpoint: Endpoint, options: EndpointOptions): Promise<ScannedKey> {
  const { environment, signal } = options
  const config = await configOf(endpoint.host, environment)
  const known = await environment.knownHosts.lookup(endpoint.host, endpoint.port)
  const via = await connectJump(endpoint, config, options)
  try {
    const prefer = known.filter((entry) => !entry.revoked).map((entry) => entry.key.type)
    const address = { host: config.hostName, port: endpoint.port }
    const key = await scanHostKey(address, { clock: environment.clock, prefer, via: via ?? undefined, signal })
    const found = await environment.knownHosts.check(endpoint.host, endpoint.port, key)
    const shown = { key: keyText(key), fingerprint: fingerprint(key) }
    if (found.state !== 'changed') return { ...shown, state: found.state }
    const { entry } = found
    const source = entry.revoked ? `${entry.source} (revoked)` : entry.source
    return { ...shown, state: 'changed', pinned: { fingerprint: fingerprint(entry.key), source } }
  } finally {
    await via?.[Symbol.asyncDispose]()
  }
}

async function configOf(host: string, { configFile, home, localUser }: SshEnvironment): Promise<HostConfig> {
  return await hostConfig(host, { path: configFile, home, localUser })
}

/** The jump host that was named, else the last of ssh_config's ProxyJump, which is reached through those before it. */
async function connectJump(endpoint: Endpoint, config: HostConfig, options: EndpointOptions): Promise<SshConnection | null> {
  const hops: Hop[] = endpoint.jump
    ? [endpoint.jump]
    : config.proxyJump.map((jump) => ({ host: jump.host, port: jump.port ?? 0, user: jump.user ?? '' }))
  let via: SshConnection | null = null
  for (const hop of hops) {
    const own = await configOf(hop.host, options.environment)
    const complete = {
      ...hop,
      port: hop.port || own.port || 22,
      user: hop.user || own.user || options.environment.localUser,
    }
    const before: SshConnection | null = via
    try {
      via = await connectHop(complete, own, before, options)
    } catch (error) {
      before?.destroy()
      throw error
    }
    if (before) via.closed.addEventListener('abort', () => before.destroy(), { once: true })
  }
  return via
}

async function connectHop(hop: Hop, config: HostConfig, via: SshConnection | null, options: EndpointOptions): Promise<SshConnection> {
  const { environment, signal, keepAlive } = options
  return await connect({
    host: config.hostName,
    port: hop.port,
    user: hop.user,
    hostKeys: await pinnedKeys(hop, environment.knownHosts),
    signIn: await signInOf(config, options),
    via: via ?? undefined,
    clock: environment.clock,
    signal,
    ...(keepAlive ? { keepAlive } : {}),
  })
}

/** Throws SSH_HOST_KEY_UNKNOWN without any, SSH_HOST_KEY_CHANGED if it was revoked since. */
async function pinnedKeys(hop: Hop, knownHosts: KnownHosts): Promise<PublicKey[]> {
  const known = await knownHosts.lookup(hop.host, hop.port)
  const keys = hop.hostKey === undefined ? known.filter((entry) => !entry.revoked).map((entry) => entry.key) : [requireKey(hop.hostKey)]
  const revoked = known.find((entry) => entry.revoked && keys.some((key) => sameKey(key, entry.key)))
  if (revoked)
    throw new FlotillaError('SSH_HOST_KEY_CHANGED', {
      what: `The key of ${hop.host} must not be trusted any more.`,
      why: `${revoked.source} marks ${fingerprint(revoked.key)} as revoked.`,
      next: 'Give the host a new key, then remove the machine and add it again.',
    })
  if (keys.length) return keys
  throw new FlotillaError('SSH_HOST_KEY_UNKNOWN', {
    what: `The key of ${hop.host}${hop.port === 22 ? '' : `:${hop.port}`} was never confirmed.`,
    why: 'It is in none of the known_hosts files.',
    next: 'Compare its fingerprint with the one that the host prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and confirm it.',
  })
}

/** OpenSSH's default identity files. */
const DEFAULT_IDENTITIES = ['.ssh/id_ed25519', '.ssh/id_ecdsa', '.ssh/id_rsa']

/**
 * What was given explicitly is all that is tried beside our own key. With nothing given, what `ssh` would try: the identity files of
 * ssh_config or the default ones, as far as they need no passphrase, and the agent.
 */
async function signInOf(config: HostConfig, { credentials, environment, ownKey }: EndpointOptions): Promise<SignIn> {
  const { keyFile, passphrase, password, useAgent } = credentials
  const keys: PrivateKey[] = ownKey ? [ownKey] : []
  const nothing = keyFile === undefined && password === undefined && useAgent === undefined
  if (keyFile !== undefined) keys.push(await loadKey(keyFile.replace(/^~(?=\/)/, environment.home), passphrase))
  else if (nothing) {
    const files = config.identityFiles.length ? config.identityFiles : DEFAULT_IDENTITIES.map((file) => join(environment.home, file))
    for (const file of files) {
      const key = await loadKey(file, passphrase).catch(() => null)
      if (key) keys.push(key)
    }
  }
  const agent = useAgent || nothing ? environment.agentSocket : undefined
  if (useAgent && agent === undefined)
    throw new FlotillaError('SSH_KEY_UNUSABLE', {
      what: 'There is no ssh-agent.',
      why: 'SSH_AUTH_SOCK is not set for Flotilla.',
      next: 'Start Flotilla from a session with an agent, or choose a key file or a password.',
    })
  return { keys, ...(agent === undefined ? {} : { agentSocket: agent }), ...(password === undefined ? {} : { password }) }
}
