/** The built UI's files, for `app://` under Electron and for HTTP in a browser: the same files under the same policy. */
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.map': 'application/json; charset=utf-8',
}

/**
 * Scripts only from the app itself. Styles in attributes are allowed, because terminal and editor position their lines with them;
 * neither style nor data URL can run code.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export interface StaticReply {
  readonly status: 200 | 404
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

const SECURITY = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** `pathname` as in a URL, percent-encoded. Never leaves `dir`. */
export async function staticFile(dir: string, pathname: string): Promise<StaticReply> {
  const notFound: StaticReply = {
    status: 404,
    headers: { ...SECURITY, 'content-type': 'text/plain; charset=utf-8' },
    body: Buffer.from('not found\n'),
  }
  let path: string
  try {
    path = normalize(join(dir, decodeURIComponent(pathname)))
  } catch {
    return notFound
  }
  if (path.endsWith(sep)) path = join(path, 'index.html')
  const type = TYPES[extname(path)]
  if (!type || !path.startsWith(normalize(dir) + sep)) return notFound
  const body = await readFile(path).catch(() => null)
  if (!body) return notFound
  // Vite names what it bundles by content; everything else may change with the next version.
  const caching = pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
  return { status: 200, headers: { ...SECURITY, 'content-type': type, 'cache-control': caching }, body }
}
