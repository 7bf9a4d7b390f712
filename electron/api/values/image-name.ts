/** Names of images, as Docker and Kubernetes normalise them. Source: distribution `reference`, kubernetes `util/parsers`. */

export interface ImageName {
  /** "docker.io" where none is written. */
  readonly domain: string
  /** "library/nginx" for "nginx". */
  readonly path: string
  /** "latest" where neither tag nor digest is written; empty with a digest alone. */
  readonly tag: string
  /** "sha256:…" or empty. */
  readonly digest: string
}

const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/
const MAX_LENGTH = 255

/** Null for what is no name of an image. */
export function parseImageName(text: string): ImageName | null {
  if (/^[a-f0-9]{64}$/.test(text)) return null
  const at = text.indexOf('@')
  const digest = at < 0 ? '' : text.slice(at + 1)
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon < 0 ? '' : named.slice(colon + 1)
  const { domain, path } = splitDomain(colon < 0 ? named : named.slice(0, colon))
  if ((colon >= 0 && !TAG.test(tag)) || (at >= 0 && !DIGEST.test(digest))) return null
  if (!DOMAIN.test(domain) || !PATH.test(path) || path.length > MAX_LENGTH) return null
  return { domain, path, tag: tag || (digest ? '' : 'latest'), digest }
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(0, slash))
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)
  const domain = isDomain && first !== 'index.docker.io' ? first : 'docker.io'
  const path = isDomain ? name.slice(slash + 1) : name
  return { domain, path: domain === 'docker.io' && !path.includes('/') ? `library/${path}` : path }
}
