/** Why a webhook gave no answer, in the words of Go's HTTP client, which those who run webhooks know from upstream. */
const UNTRUSTED = 'tls: failed to verify certificate: x509: '
const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
const EXPIRED = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

interface SystemError extends Error {
  readonly code?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
}

export function goReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address = '', port, hostname = '' } = error as SystemError
  if (error instanceof AggregateError && error.errors.length > 0) return goReason(error.errors[0])
  if (error.name === 'TimeoutError') return 'context deadline exceeded'
  if (error.name === 'AbortError') return 'context canceled'
  if (code === undefined) return error.message
  if (code === 'ECONNREFUSED') return `dial tcp ${address}:${port ?? ''}: connect: connection refused`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname}: no such host`
  if (code === 'ECONNRESET') return 'EOF'
  if (UNKNOWN_AUTHORITY.has(code)) return `${UNTRUSTED}certificate signed by unknown authority`
  if (EXPIRED.has(code)) return `${UNTRUSTED}certificate has expired or is not yet valid: ${error.message}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${UNTRUSTED}${error.message}`
  return error.message
}

const BY_CODE: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  406: 'the server was unable to respond with a content type that the client supports',
  415: 'the body of the request was in an unknown format',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
}
const SHOWN_BODY = 2048

/** What client-go says of a refusal that is no Status. Source: apimachinery `api/errors` NewGenericServerResponse. */
export function httpRefusal(code: number, body: string): string {
  try {
    const { kind, message } = JSON.parse(body) as { kind?: unknown; message?: unknown }
    if (kind === 'Status' && typeof message === 'string') return message
  } catch {
    // It is text.
  }
  if (code >= 500 && !BY_CODE[code])
    return `an error on the server (${JSON.stringify(body.slice(0, SHOWN_BODY).trim() || 'unknown')}) has prevented the request from succeeding`
  return BY_CODE[code] ?? `the server responded with the status code ${code} but did not return more information`
}
