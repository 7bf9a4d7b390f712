import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { type ChannelCredentials, Client, credentials } from '@grpc/grpc-js'
import { FlotillaError, messageOf } from '../../base/errors.ts'

/** PEM. Both `cert` and `key`, or neither; without `ca` the certificates are trusted that Node trusts. */
export interface EtcdTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface Address {
  /** A name, or an IP address without brackets. */
  readonly host: string
  readonly port: number
  readonly secure: boolean
}

/** One member of the cluster, as its client URL names it. */
export interface Endpoint {
  readonly url: string
  readonly address: Address
  readonly client: Client
}

const DEFAULT_PORT = '2379'
/** Said in the handshake to members known by their address, which is no name that TLS could say (RFC 6066); the address is checked. */
const NO_NAME = 'etcd.invalid'
/** Scheme, host (an IPv6 address in brackets) and port. */
const URL_OF_MEMBER = /^(?:(https?):\/\/)?(\[[0-9a-f:.]+\]|[^\s/:@?#[\]]+)(?::(\d{1,5}))?\/?$/i

/**
 * `url`: "https://HOST:PORT", "http://HOST:PORT", or "HOST:PORT", which is plain as with etcdctl. Throws FlotillaError `INVALID_INPUT`.
 */
export function openEndpoint(url: string, tls: EtcdTls = {}): Endpoint {
  const [, scheme = 'http', host, port = DEFAULT_PORT] = URL_OF_MEMBER.exec(url) ?? []
  if (host === undefined) throw invalid(url)
  const secure = scheme.toLowerCase() === 'https'
  const name = host.replace(/^\[|\]$/g, '')
  const client = new Client(`dns:${host}:${port}`, secure ? secureBy(tls, name) : credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // etcd ends connections that ping more often than every 5 seconds.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5000,
    ...(isIP(name) ? { 'grpc.ssl_target_name_override': NO_NAME } : {}),
  })
  return { url, address: { host: name, port: Number(port), secure }, client }
}

function secureBy(tls: EtcdTls, host: string): ChannelCredentials {
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text))
  try {
    const verify = { checkServerIdentity: (_name: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate) }
    return credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert), isIP(host) ? verify : {})
  } catch (error) {
    throw new FlotillaError('INVALID_INPUT', {
      what: 'The certificates for etcd cannot be used.',
      why: `${messageOf(error)}.`,
      next: 'Give the CA’s certificate, and the client’s certificate together with its key, as PEM files.',
      cause: error,
    })
  }
}

function invalid(url: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `"${url}" is not the URL of an etcd member.`,
    why: 'A member has http or https, a host and a port, and no path.',
    next: 'Write it as https://HOST:PORT or http://HOST:PORT; several are separated by commas.',
  })
}
