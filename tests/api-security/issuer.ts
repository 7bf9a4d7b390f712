/** An OpenID Connect issuer on loopback with a certificate of an authority of its own, which can go away. */
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { createPki, type Pki } from '../../electron/apiserver/pki/pki.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'

export interface Issuer extends AsyncDisposable {
  readonly url: string
  readonly caPem: string
  /** PEM of `caPem`. */
  readonly caFile: string
  /** Signed with the newest key; an hour long, for the audience "flotilla", unless the claims say otherwise. */
  token(claims: JWTPayload): Promise<string>
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

/** A folder that is gone after the test, and an authority that signs for 127.0.0.1. */
export async function authority(undo: AsyncDisposableStack): Promise<{ dir: string; pki: Pki }> {
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-issuer-'))
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  const parts = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const pki = undo.use(createPki({ dir: join(dir, 'pki'), ...parts, clusterDomain: 'issuer.example', serviceAddress: '10.0.0.1' }))
  await pki.start()
  return { dir, pki }
}

/** `path`: below the host, for several issuers. */
export async function startIssuer(path = ''): Promise<Issuer> {
  await using undo = new AsyncDisposableStack()
  const { dir, pki } = await authority(undo)
  const caFile = join(dir, 'issuer-ca.crt')
  await writeFile(caFile, pki.caPem)
  const keys = await generateKeyPair('ES256')
  let port = 0
  const urlOf = () => `https://127.0.0.1:${port}${path}`
  const documents: Record<string, () => Promise<unknown>> = {
    [`${path}/.well-known/openid-configuration`]: async () => ({ issuer: urlOf(), jwks_uri: `${urlOf()}/keys` }),
    [`${path}/keys`]: async () => ({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'key', alg: 'ES256', use: 'sig' }] }),
  }
  const { cert, key } = pki.serving.current
  const serve = async (): Promise<Server> => {
    const server = createServer({ cert, key }, (request, response) => {
      const document = documents[request.url ?? '']
      if (!document) return void response.writeHead(404).end()
      void document().then((body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    port = (server.address() as AddressInfo).port
    return server
  }
  let server: Server | null = await serve()
  const goAway = async () => {
    const leaving = server
    server = null
    leaving?.closeAllConnections()
    await new Promise((resolve) => (leaving ? leaving.close(resolve) : resolve(null)))
  }
  undo.defer(goAway)
  const all = undo.move()
  return {
    url: urlOf(),
    caPem: pki.caPem,
    caFile,
    token: (claims) => {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({ iss: urlOf(), aud: 'flotilla', iat: now, exp: now + 3600, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'key' })
        .sign(keys.privateKey)
    },
    goAway,
    async comeBack() {
      server = await serve()
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
