/** A webhook for tests: a real HTTPS server on a free port of the loopback, with an authority of its own. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { systemRandom } from '../../../base/random.ts'
import { createAuthority, generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../pki/certificate.ts'

export interface Asked {
  readonly path: string
  readonly query: string
  readonly body: unknown
}

/** What is answered: JSON with 200, or a status and text. A rejection closes the connection. */
export type Answer = (asked: Asked) => Promise<{ status: number; text: string } | object> | { status: number; text: string } | object

export interface HookServer extends AsyncDisposable {
  readonly port: number
  /** PEM in base64. */
  readonly caBundle: string
  /** Each request so far, in order. */
  readonly asked: readonly Asked[]
  url(path: string): string
}

const DAY = 24 * 3600_000

/** `names` are those for which its certificate is good. */
export async function startHookServer(answer: Answer, names: readonly string[] = ['127.0.0.1']): Promise<HookServer> {
  const times = { notBefore: Date.parse('2020-01-01'), notAfter: Date.parse('2020-01-01') + 30 * 365 * DAY }
  const authority = await createAuthority({ commonName: 'hooks', ...times, random: systemRandom })
  const { publicKey, privateKey } = await generateKeys()
  const leaf = { subject: { commonName: 'hook' }, publicKey, ...times, usages: SERVER_AUTH, names: [...names] }
  const asked: Asked[] = []
  const options = { cert: await issue(authority, leaf, systemRandom), key: await privateKeyPem(privateKey) }
  const server = createServer(options, (request, response) => {
    const serve = async () => {
      const { pathname, search } = new URL(request.url ?? '/', 'https://hook')
      const one = { path: pathname, query: search, body: JSON.parse(await text(request)) as unknown }
      asked.push(one)
      const made = await answer(one)
      if ('status' in made && 'text' in made) return void response.writeHead(made.status).end(made.text)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(made))
    }
    serve().catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    caBundle: Buffer.from(authority.cert.toString('pem')).toString('base64'),
    asked,
    url: (path) => `https://127.0.0.1:${port}${path}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
