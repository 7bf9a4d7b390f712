/** Lets others verify service accounts' tokens. Source: OpenID Connect Discovery 1.0, RFC 7517. */
import { exportJWK } from 'jose'
import type { SigningKeys } from '../pki/pki.ts'
import type { RequestHandler } from '../types.ts'

const KEYS_PATH = '/openid/v1/jwks'

export function issuerDiscovery(options: { issuer: string; keys: SigningKeys }): Readonly<Record<string, RequestHandler>> {
  const { issuer, keys } = options
  const answer =
    (type: string, document: () => Promise<unknown>): RequestHandler =>
    async () => ({
      status: 200,
      headers: { 'content-type': type, 'cache-control': 'public, max-age=3600' },
      body: Buffer.from(JSON.stringify(await document())),
    })
  return {
    '/.well-known/openid-configuration': answer('application/json', async () => ({
      issuer,
      jwks_uri: `${issuer}${KEYS_PATH}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })),
    [KEYS_PATH]: answer('application/jwk-set+json', async () => ({
      keys: [{ use: 'sig', ...(await exportJWK(keys.publicKey)), kid: keys.id, alg: 'ES256' }],
    })),
  }
}
