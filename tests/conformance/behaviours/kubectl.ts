/** What kubectl does against the cluster, without a node. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request, type IncomingMessage, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { pod } from '../../../electron/api/kinds.gen.ts'
import { readKubeconfig } from '../../../electron/client/kubeconfig.ts'
import type { BehaviourContext, Behaviours } from '../lib/behaviour.ts'
import { IMAGE } from '../lib/objects.ts'

const OTHER_IMAGE = 'registry.k8s.io/e2e-test-images/busybox:1.29-4'

const manifest = (image: string) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'compared' },
    spec: {
      selector: { matchLabels: { app: 'compared' } },
      template: { metadata: { labels: { app: 'compared' } }, spec: { containers: [{ name: 'main', image }] } },
    },
  })

/** Its output; throws with its complaint if it fails. */
async function run(context: BehaviourContext, args: string[], input?: string): Promise<string> {
  const { code, out, err } = await context.kubectl(args, input === undefined ? {} : { input })
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${err}`)
  return out
}

/** Runs `kubectl proxy` while `work` goes on; `work` gets the line that says where it listens. */
async function withProxy({ kubeconfig, signal }: BehaviourContext, args: string[], work: (line: string) => Promise<void>): Promise<void> {
  const child = spawn('kubectl', ['--kubeconfig', kubeconfig, 'proxy', ...args], { stdio: ['ignore', 'pipe', 'inherit'], signal })
  child.on('error', () => undefined)
  const exited = once(child, 'exit')
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    await work(line)
  } finally {
    child.kill()
    await exited
  }
}

async function assertServesVersions(where: RequestOptions): Promise<void> {
  const sent = request({ ...where, path: '/api/' })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 200)
  const { kind, versions } = JSON.parse(await text(response)) as { kind: string; versions: string[] }
  assert.equal(kind, 'APIVersions')
  assert.ok(versions.includes('v1'))
}

export const behaviours: Behaviours = {
  async 'kubectl-api-versions'(context) {
    const lines = (await run(context, ['api-versions'])).trimEnd().split('\n')
    assert.ok(lines.includes('v1'))
    assert.ok(lines.length > 1)
    for (const line of lines) assert.match(line, /^([a-z0-9.-]+\/)?v\d+((alpha|beta)\d+)?$/)
  },

  async 'kubectl-cluster-info'(context) {
    const out = await run(context, ['cluster-info'])
    const { server } = await readKubeconfig(context.kubeconfig)
    // oxlint-disable-next-line no-control-regex
    const plain = out.replace(/\u001b\[[0-9;]*m/g, '')
    assert.ok(plain.includes(`Kubernetes control plane is running at ${server}`), plain)
  },

  async 'kubectl-version'(context) {
    const out = JSON.parse(await run(context, ['version', '--output=json'])) as Record<string, Record<string, string> | undefined>
    for (const side of ['clientVersion', 'serverVersion']) {
      for (const field of ['major', 'minor', 'gitVersion', 'gitCommit']) assert.ok(out[side]?.[field], `${side} lacks ${field}`)
    }
  },

  async 'kubectl-diff'(context) {
    await run(context, ['create', '-f', '-'], manifest('registry.k8s.io/e2e-test-images/agnhost:2.56'))
    const { code, out } = await context.kubectl(['diff', '-f', '-'], { input: manifest(OTHER_IMAGE) })
    assert.equal(code, 1)
    assert.match(out, /^-.*image: registry\.k8s\.io\/e2e-test-images\/agnhost:2\.56$/m)
    assert.match(out, /^\+.*image: registry\.k8s\.io\/e2e-test-images\/busybox:1\.29-4$/m)
  },

  async 'kubectl-proxy-port-zero'(context) {
    await withProxy(context, ['--port=0', '--disable-filter'], async (line) => {
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1])
      assert.ok(port > 0, line)
      await assertServesVersions({ host: '127.0.0.1', port })
    })
  },

  async 'kubectl-proxy-unix-socket'(context) {
    const dir = await mkdtemp(join(tmpdir(), 'kubectl-proxy-'))
    context.afterwards(() => rm(dir, { recursive: true }))
    const socketPath = join(dir, 'socket')
    await withProxy(context, [`--unix-socket=${socketPath}`], () => assertServesVersions({ socketPath }))
  },

  async 'kubectl-run-pod'(context) {
    await run(context, ['run', 'single', `--image=${IMAGE}`, '--restart=Never'])
    const { spec } = await context.client.get(pod, { name: 'single', namespace: context.namespace })
    assert.deepEqual(
      spec.containers.map(({ image }) => image),
      [IMAGE],
    )
    assert.equal(spec.restartPolicy, 'Never')
  },

  async 'kubectl-server-dry-run'(context) {
    await run(context, ['run', 'kept', `--image=${IMAGE}`])
    const patch = JSON.stringify({ spec: { containers: [{ name: 'kept', image: OTHER_IMAGE }] } })
    const out = await run(context, ['patch', 'pod', 'kept', '-p', patch, '--dry-run=server'])
    assert.match(out, /^pod\/kept patched/)
    const { spec } = await context.client.get(pod, { name: 'kept', namespace: context.namespace })
    assert.equal(spec.containers[0]?.image, IMAGE)
  },
}
