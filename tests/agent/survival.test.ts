import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import { containerStatus } from './cluster.ts'
import { exists, joinNode } from './joined-node.ts'
import type { JoinedNode } from './joined-node.ts'

const main = (pod: Pod) => containerStatus(pod.status.containerStatuses, 'main')
const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const sh = (script: string) => ({ command: ['sh', '-c', script] })
const FOREVER = 'trap exit TERM; while true; do sleep 0.1; done'

describe('a node that joined', () => {
  let node: JoinedNode
  const ready = (name: string) => node.until(`${name} is ready`, async () => [await node.pod(name)].find(isReady))

  beforeAll(async () => {
    node = await joinNode()
    await node.startAgent()
  })
  afterAll(() => node?.[Symbol.asyncDispose]())

  it('becomes Ready with a token that it uses once, and keeps its keys to itself', async () => {
    const found = await node.until('the node is ready', async () => {
      const seen = await node.node().catch(() => null)
      return seen?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ? seen : null
    })
    expect(found.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'moth',
      'kubernetes.io/os': 'linux',
      'flotilla.dev/test': 'yes',
    })
    expect(found.status.nodeInfo).toMatchObject({
      operatingSystem: 'linux',
      containerRuntimeVersion: expect.stringMatching(/^containerd:\/\/1\./) as string,
    })
    expect(found.status.addresses).toContainEqual({ type: 'InternalIP', address: '127.0.0.1' })
    expect(await exists(node.config.bootstrapTokenFile)).toBe(false)
    const keys = await stat(join(node.config.stateDir, 'pki/client.pem'))
    expect(keys.mode & 0o777).toBe(0o600)
    const holder = async () =>
      (await node.kubectl(['-n', 'kube-node-lease', 'get', 'lease', 'moth', '-o', 'jsonpath={.spec.holderIdentity}'])).out
    await expect.poll(holder, { timeout: 5000 }).toBe('moth')
  })

  it('gives a pod its service account', async () => {
    await node.createPod('account', { containers: [{ name: 'main', ...sh(FOREVER) }] })
    await ready('account')
    const read = await node.kubectl([
      'exec',
      'account',
      '--',
      'sh',
      '-c',
      'cd /var/run/secrets/kubernetes.io/serviceaccount; cat namespace; echo; wc -c < ca.crt; cut -d. -f2 token | base64 -d 2>/dev/null',
    ])
    expect(read.out).toMatch(/^default\n\d+\n/)
    expect(read.out).toContain('"sub":"system:serviceaccount:default:default"')
    await node.deletePod('account')
  })

  it('is killed and comes back without touching a container', async () => {
    const readinessProbe = { exec: { command: ['true'] }, periodSeconds: 1 }
    await node.createPod('steady', { containers: [{ name: 'main', ...sh(FOREVER), readinessProbe }] })
    await node.createPod('done', { restartPolicy: 'Never', containers: [{ name: 'main', ...sh('exit 0') }] })
    await node.createPod('leaving', { containers: [{ name: 'main', ...sh(FOREVER) }] })
    const [before] = [await ready('steady'), await ready('leaving')]
    await node.until('done is done', async () => (await node.pod('done')).status.phase === 'Succeeded')
    await node.stopAgent('SIGKILL')
    await node.deletePod('leaving', 0)
    await node.startAgent()
    await node.until('the agent is up again', async () => node.log.join('').split('the agent is up').length > 2)
    await sleep(systemClock, 3000)
    const after = await node.pod('steady')
    expect(after.status).toEqual(before.status)
    expect((await node.pod('done')).status.phase).toBe('Succeeded')
    const left = async () => (await node.lab.cri.listContainers()).map(({ labels }) => labels['io.kubernetes.pod.name'])
    await node.until('what was deleted meanwhile is gone', async () => !(await left()).includes('leaving'))
    expect(await left()).toEqual(expect.arrayContaining(['steady', 'done']))
  })

  it('goes on without the API server, even after a restart', async () => {
    const script = `echo $$ > /tmp/pid; while [ ! -e /tmp/crash ]; do sleep 0.1; done; rm /tmp/crash; exit 3`
    await node.createPod('alone', {
      containers: [{ name: 'main', ...sh(script), envFrom: [{ configMapRef: { name: 'kube-root-ca.crt' } }] }],
    })
    await ready('alone')
    const containers = async () =>
      (await node.lab.cri.listContainers()).filter(({ labels }) => labels['io.kubernetes.pod.name'] === 'alone')
    const running = async () => (await containers()).find(({ state }) => state === 'running')
    const crash = async () => {
      const { id } = (await running()) ?? { id: '' }
      await node.lab.cri.execSync(id, ['touch', '/tmp/crash'], 5)
      await node.until('another one runs', async () => {
        const now = await running()
        return now && now.id !== id
      })
    }
    node.cut()
    await crash()
    await node.stopAgent('SIGKILL')
    await node.startAgent()
    await node.until('the agent is up again', async () => node.log.join('').split('the agent is up').length > 3)
    await crash()
    node.mend()
    const pod = await node.until(
      'the API server knows',
      async () => {
        const seen = await node.pod('alone')
        return main(seen).restartCount === 2 && isReady(seen) ? seen : null
      },
      45_000,
    )
    expect(main(pod).lastState.terminated?.exitCode).toBe(3)
  }, 120_000)

  it('is asked to go, ends its pods, and starts the removal of everything else', async () => {
    const refused = await node.kubectl(['create', '--raw', '/api/v1/nodes/moth/proxy/flotilla/v1/uninstall', '-f', '/dev/null'])
    expect(refused.code).not.toBe(0)
    const { request } = await import('node:https')
    const { cert, key } = node.api.pki.kubeletClient.current
    const status = await new Promise<number>((resolve, reject) => {
      const call = request(
        {
          host: '127.0.0.1',
          port: node.config.port,
          path: '/flotilla/v1/uninstall',
          method: 'POST',
          cert,
          key,
          ca: node.api.pki.caPem,
          servername: 'moth',
        },
        (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        },
      )
      call.on('error', reject).end()
    })
    expect(status).toBe(202)
    await node.until('the removal has begun', async () => exists(join(node.lab.dir, 'uninstalled')))
    expect(await node.lab.cri.listSandboxes()).toEqual([])
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(join(node.config.stateDir, 'pods'))
  })
})
