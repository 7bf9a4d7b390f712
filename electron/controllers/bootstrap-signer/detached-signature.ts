import { createHmac } from 'node:crypto'

/** A JWS with the token's secret whose content is left out (RFC 7515, appendix F), as joining nodes check it: "header..signature". */
export function detachedSignature(content: string, token: { readonly id: string; readonly secret: string }): string {
  const header = base64url(JSON.stringify({ alg: 'HS256', kid: token.id }))
  const signature = createHmac('sha256', token.secret)
    .update(`${header}.${base64url(content)}`)
    .digest('base64url')
  return `${header}..${signature}`
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
