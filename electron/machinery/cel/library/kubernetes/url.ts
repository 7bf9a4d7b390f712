/** URLs. Sources: apiserver `cel/library/urls.go`, Go `net/url`, RFC 3986. */
import { goQuote } from '../../../../api/values/field-error.ts'
import { CelError } from '../../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../../functions.ts'
import { BOOL, STRING, listOf, mapOf, opaque } from '../../types.ts'
import { Opaque, ValueList, ValueMap } from '../../values.ts'

export const URL_TYPE = opaque('kubernetes.URL')

interface Parts {
  readonly scheme: string
  /** With the port. */
  readonly host: string
  readonly path: string
  readonly query: string
}

class Url extends Opaque {
  readonly type = URL_TYPE
  readonly text: string
  readonly parts: Parts
  constructor(text: string, parts: Parts) {
    super()
    this.text = text
    this.parts = parts
  }
  equals(other: Opaque): boolean {
    return other instanceof Url && other.text === this.text
  }
}

/** Absolute, or a path from the root. Throws CelError with Go's words. */
function parseRequestUri(text: string): Parts {
  const failed = (why: string) => new CelError(`URL parse error during conversion from string: parse ${goQuote(text)}: ${why}`)
  // eslint-disable-next-line no-control-regex -- they are what is refused
  if (/[\x00-\x1f\x7f]/.test(text)) throw failed('net/url: invalid control character in URL')
  if (text === '') throw failed('empty url')
  if (text.startsWith(':')) throw failed('missing protocol scheme')
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? ''
  const rest = scheme ? text.slice(scheme.length + 1) : text
  const bare = rest.replace(/#.*$/s, '')
  const [before = '', ...queries] = bare.split('?')
  const query = queries.join('?')
  if (!before.startsWith('/')) {
    if (!scheme) throw failed('invalid URI for request')
    return { scheme: scheme.toLowerCase(), host: '', path: '', query }
  }
  const authority = before.startsWith('//') && (scheme !== '' || !before.startsWith('///')) ? (before.slice(2).split('/')[0] ?? '') : null
  const path = authority === null ? before : before.slice(2 + authority.length)
  const escape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(path)
  if (escape) throw failed(`invalid URL escape ${goQuote(escape[0])}`)
  const host = authority?.slice(authority.lastIndexOf('@') + 1) ?? ''
  const port = /:([^:\]]*)$/.exec(host)
  if (host.startsWith('[') && !host.includes(']')) throw failed("missing ']' in host")
  if (port && !/^\d*$/.test(port[1] ?? '')) throw failed(`invalid port ${goQuote(port[0])} after host`)
  const wrong = /[ <>"\\^`{|}]/.exec(host)
  if (wrong) throw failed(`invalid character ${goQuote(wrong[0])} in host name`)
  return { scheme: scheme.toLowerCase(), host, path, query }
}

function isUrl(text: string): boolean {
  try {
    parseRequestUri(text)
    return true
  } catch {
    return false
  }
}

const hostname = ({ parts: { host } }: Url) => (host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d*$/, ''))
const port = ({ parts: { host } }: Url) => /:(\d*)$/.exec(host.replace(/^\[.*\]/, ''))?.[1] ?? ''
const escapedPath = ({ parts: { path } }: Url) => path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]+/g, (odd) => encodeURIComponent(odd))

/** A part of a query; null if its escapes are wrong. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return null
  }
}

function query({ parts }: Url): ValueMap {
  const values = new Map<string, string[]>()
  for (const pair of parts.query.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const [name = '', ...rest] = pair.split('=')
    const [key, value] = [decode(name), decode(rest.join('='))]
    if (key !== null && value !== null) values.set(key, [...(values.get(key) ?? []), value])
  }
  return new ValueMap([...values].map(([key, all]) => [key, new ValueList(all)]))
}

const read = (name: string, id: string, run: (url: Url) => string) => define(name, method(id, [URL_TYPE], STRING, run))

export const URL_FUNCTIONS: readonly FunctionDeclaration[] = [
  define(
    'url',
    global('string_to_url', [STRING], URL_TYPE, (text: string) => new Url(text, parseRequestUri(text))),
  ),
  define('isURL', global('is_url_string', [STRING], BOOL, isUrl)),
  read('getScheme', 'url_get_scheme', ({ parts }) => parts.scheme),
  read('getHost', 'url_get_host', ({ parts }) => parts.host),
  read('getHostname', 'url_get_hostname', hostname),
  read('getPort', 'url_get_port', port),
  read('getEscapedPath', 'url_get_escaped_path', escapedPath),
  define('getQuery', method('url_get_query', [URL_TYPE], mapOf(STRING, listOf(STRING)), query)),
]
