/** Proxy: the API server's way to pods and Services. */
import assert from 'node:assert/strict'
import { service } from '../../../../electron/api/kinds.gen.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { send } from '../../lib/raw.ts'
import { serving, startPod } from '../../lib/running.ts'

const METHODS = ['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'GET', 'HEAD']
const LABELS = { app: 'proxied' }

/** A server named `server` and a Service of that name, whose port 80 is `http`. */
async function startBackend(context: BehaviourContext): Promise<string> {
  const { client, namespace, signal } = context
  const container = serving(context, {}, { ports: [{ name: 'web', containerPort: 8080 }] })
  await startPod(context, { containers: [container] }, { name: 'server', labels: LABELS })
  const ports = [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' as const }]
  await client.create(service, { metadata: { name: 'server', namespace }, spec: { selector: LABELS, ports } })
  const base = `/api/v1/namespaces/${namespace}`
  await eventually(
    signal,
    'the Service has a backend',
    async () => (await send(client, 'GET', `${base}/services/server:http/proxy/hostname`)).status === 200,
  )
  return base
}

/** For the port that is first, the server answers with the method, and what path it saw. */
async function assertMethods({ client }: BehaviourContext, targets: readonly string[], path: string): Promise<void> {
  for (const target of targets) {
    for (const method of METHODS) {
      let answer = await send(client, method, `${target}${path}`)
      // Without a path, one that ends with a slash is asked for.
      if (answer.status === 301) answer = await send(client, method, `${target}${path}/`)
      const { status, text, headers } = answer
      assert.equal(status, 200, `${method} ${target}${path}: ${text}`)
      assert.equal(text, method === 'HEAD' ? '' : method)
      assert.equal(headers['x-path'], path || '/')
    }
  }
}

export const behaviours: Behaviours = {
  async 'apiserver-proxy-methods'(context) {
    const base = await startBackend(context)
    await assertMethods(context, [`${base}/pods/server:8080/proxy`, `${base}/services/server:http/proxy`], '')
  },
  async 'apiserver-proxy-with-path'(context) {
    const base = await startBackend(context)
    await assertMethods(context, [`${base}/pods/server:8080/proxy`, `${base}/services/server:http/proxy`], '/some/path')
  },
  async 'apiserver-proxy-service-and-pod'(context) {
    const base = await startBackend(context)
    for (const target of [
      'services/server:80',
      'services/server:http',
      'services/http:server:http',
      'pods/server:8080',
      'pods/http:server:8080',
    ]) {
      const { status, text } = await send(context.client, 'GET', `${base}/${target}/proxy/hostname`)
      assert.deepEqual({ target, status, text }, { target, status: 200, text: 'server' })
    }
  },
}
