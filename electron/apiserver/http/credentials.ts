/** Who a connection or request claims to be. */
import type { TLSSocket } from 'node:tls'
import type { Credentials } from '../types.ts'

const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'
const NONE: Credentials = Object.freeze({})

/** The client certificate of a connection, if TLS has verified it against the client CA. Asked once per connection. */
export function connectionCredentials(socket: TLSSocket): Credentials {
  if (!socket.authorized) return NONE
  const { raw } = socket.getPeerCertificate(false)
  return raw ? Object.freeze({ certificate: raw }) : NONE
}

/** A bearer token goes before the certificate, as upstream asks the token authenticators first when there is one. */
export function requestCredentials(connection: Credentials, headers: Readonly<Record<string, string | undefined>>): Credentials {
  const token = bearerToken(headers['authorization']) ?? protocolToken(headers['sec-websocket-protocol'])
  return token === undefined ? connection : { ...connection, bearerToken: token }
}

function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || header.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  return header.slice(7).trim() || undefined
}

/** Browsers cannot set headers on WebSockets, so Kubernetes takes a token from among the subprotocols. */
function protocolToken(header: string | undefined): string | undefined {
  const found = header?.split(',').find((protocol) => protocol.trim().startsWith(BEARER_PROTOCOL))
  return found && Buffer.from(found.trim().slice(BEARER_PROTOCOL.length), 'base64url').toString('utf8')
}
