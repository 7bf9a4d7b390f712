/** Registry credentials from Secrets. Source: kubernetes `pkg/credentialprovider`. */
import type { Secret } from '../../../api/core/v1/types.gen.ts'
import { bytesFromBase64 } from '../../../api/values/base64.ts'
import { parseImageName } from '../../../api/values/image-name.ts'
import type { RegistryAuth } from '../../runtime/cri-types.ts'

interface DockerAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

interface Entry {
  /** Host with optional port; "*" stands for one part of a name. */
  readonly host: string
  readonly path: string
  readonly auth: RegistryAuth
}

const DOCKER_HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/** Credentials that fit the image, the most special first. Secrets that are no docker configuration are passed over. */
export function credentialsFor(image: string, secrets: readonly Secret[]): RegistryAuth[] {
  const name = parseImageName(image)
  if (!name) return []
  const entries = secrets.flatMap(entriesOf).filter(({ host, path }) => {
    const sameHost = DOCKER_HUB.has(name.domain) ? DOCKER_HUB.has(host) : matchesHost(host, name.domain)
    return sameHost && (path === '' || name.path === path || name.path.startsWith(`${path}/`))
  })
  return entries.toSorted((a, b) => b.path.length - a.path.length || b.host.length - a.host.length).map(({ auth }) => auth)
}

function entriesOf({ type, data = {} }: Secret): Entry[] {
  const json = type === 'kubernetes.io/dockerconfigjson' ? data['.dockerconfigjson'] : data['.dockercfg']
  if (json === undefined) return []
  let auths: Record<string, DockerAuth>
  try {
    const parsed = JSON.parse(Buffer.from(bytesFromBase64(json)).toString()) as Record<string, unknown>
    auths = (type === 'kubernetes.io/dockerconfigjson' ? (parsed['auths'] ?? {}) : parsed) as Record<string, DockerAuth>
  } catch {
    return []
  }
  return Object.entries(auths).map(([registry, auth]) => ({ ...locationOf(registry), auth: authOf(auth) }))
}

/** "https://index.docker.io/v1/" is how Docker writes its own registry. */
function locationOf(registry: string): { host: string; path: string } {
  const bare = registry.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  const slash = bare.indexOf('/')
  const [host, path] = slash < 0 ? [bare, ''] : [bare.slice(0, slash), bare.slice(slash + 1)]
  return { host, path: /^v[12]$/.test(path) ? '' : path.replace(/^v[12]\//, '') }
}

function authOf({ username, password, auth, identitytoken, registrytoken }: DockerAuth): RegistryAuth {
  const pair = auth ? Buffer.from(auth, 'base64').toString() : ''
  const colon = pair.indexOf(':')
  return {
    ...(username === undefined && colon < 0 ? {} : { username: username ?? pair.slice(0, colon) }),
    ...(password === undefined && colon < 0 ? {} : { password: password ?? pair.slice(colon + 1).replace(/\0+$/, '') }),
    ...(identitytoken ? { identityToken: identitytoken } : {}),
    ...(registrytoken ? { registryToken: registrytoken } : {}),
  }
}

function matchesHost(pattern: string, host: string): boolean {
  const [patternName = '', patternPort] = pattern.split(':')
  const [name = '', port] = host.split(':')
  if (patternPort !== undefined ? patternPort !== port : port !== undefined) return false
  const wanted = patternName.split('.')
  const parts = name.split('.')
  const matches = (glob: string, part: string) =>
    new RegExp(`^${glob.replace(/[\\^$.|?+(){}[\]]/g, '\\$&').replaceAll('*', '.*')}$`).test(part)
  return wanted.length === parts.length && wanted.every((glob, i) => matches(glob, parts[i] ?? ''))
}
