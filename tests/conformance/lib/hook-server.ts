/** An HTTPS server in this process that the API server calls: admission and conversion webhooks. */
import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createAuthority, generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../../electron/apiserver/pki/certificate.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import type { BehaviourContext } from './behaviour.ts'

/** By path: gets the review's request, returns its response without the uid. */
export type Hooks = Readonly<Record<string, (request: HookRequest) => object | Promise<object>>>

export interface HookRequest {
  readonly uid: string
  readonly operation?: string
  readonly name?: string
  readonly object?: Record<string, unknown> | null
  readonly oldObject?: Record<string, unknown> | null
  /** Of conversion. */
  readonly objects?: readonly Record<string, unknown>[]
  readonly desiredAPIVersion?: string
}

export interface HookServer {
  /** What a configuration says of a path. */
  clientConfig(path: string): { url: string; caBundle: string }
}

const DAY = 24 * 3600_000

/** Serves until the test is over. */
export async function startHooks(context: BehaviourContext, hooks: Hooks): Promise<HookServer> {
  const random = systemRandom
  const times = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY }
  const authority = await createAuthority({ commonName: 'conformance-hooks', ...times, random })
  const { publicKey, privateKey } = await generateKeys()
  const leaf = { subject: { commonName: 'conformance-hook' }, publicKey, ...times, usages: SERVER_AUTH, names: ['127.0.0.1'] }
  const options = { cert: await issue(authority, leaf, random), key: await privateKeyPem(privateKey) }
  const server = createServer(options, (incoming, answer) => {
    const serve = async () => {
      const review = JSON.parse(await text(incoming)) as { apiVersion: string; kind: string; request: HookRequest }
      const hook = hooks[new URL(incoming.url ?? '/', 'https://hook').pathname]
      if (!hook) throw new Error(`there is no hook ${incoming.url}`)
      const response = { uid: review.request.uid, ...(await hook(review.request)) }
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify({ apiVersion: review.apiVersion, kind: review.kind, response }))
    }
    serve().catch((error: unknown) => {
      answer.statusCode = 500
      answer.end((error as Error).message)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.afterwards(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const caBundle = Buffer.from(authority.cert.toString('pem')).toString('base64')
  return { clientConfig: (path) => ({ url: `https://127.0.0.1:${port}${path}`, caBundle }) }
}

export const allow = () => ({ allowed: true })
export const deny = (message: string) => () => ({ allowed: false, status: { message, code: 403 } })

/** Allows with a change. */
export const patched = (...patch: object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
})
