/** Deletions and services as kubectl sees them, with controllers that reach the server over HTTPS and have their user's rights only. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pod } from '../../electron/api/core/v1/pod.ts'
import { formatTime } from '../../electron/api/values/time.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { systemRandom } from '../../electron/base/random.ts'
import type { Logger } from '../../electron/base/logger.ts'
import { createControllers } from '../../electron/controllers/controllers.ts'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

const stack = new AsyncDisposableStack()
const complaints: string[] = []
let server: SecureServer
let config: string

const complain = (message: string, fields: Record<string, unknown> = {}) => void complaints.push(`${message} ${String(fields['error'])}`)
const logger: Logger = { debug() {}, info() {}, warn: complain, error: complain, child: () => logger }

beforeAll(async () => {
  server = stack.use(await startSecureServer())
  config = await server.kubeconfig('admin', 'system:masters')
  const client = await server.remote('system:kube-controller-manager')
  const options = { signer: server.pki.signer, rootCa: server.pki.caPem }
  const controllers = stack.use(createControllers({ client, clock: systemClock, random: systemRandom, logger, options }))
  await controllers.start()
})
afterAll(() => stack.disposeAsync())

async function kubectl(line: string, input?: string): Promise<string> {
  const { code, out, err } = await run('kubectl', ['--kubeconfig', config, ...line.split(' ')], input === undefined ? {} : { input })
  expect([code, err.replaceAll(/^Warning: .*\n/gm, '')]).toEqual([0, ''])
  return out.trim()
}
const names = async (what: string) => (await kubectl(`get ${what} -o name`)).split('\n').filter(Boolean)

const workload = (name: string, space: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${space} }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: app, image: "example.com/app:1", ports: [{ name: http, containerPort: 8080 }] }] }
`

it('kubectl deletes a Deployment in the foreground, with all that is below it', async () => {
  await kubectl('create namespace front')
  await kubectl('apply -f -', workload('web', 'front'))
  await expect.poll(() => names('pods -n front'), { timeout: 10_000 }).toHaveLength(2)
  await kubectl('delete deployment web -n front --cascade=foreground --wait --timeout=20s')
  expect(await names('deployments,replicasets,pods -n front')).toEqual([])
})

it('kubectl leaves orphans where it is asked to', async () => {
  await kubectl('create namespace orphans')
  await kubectl('apply -f -', workload('web', 'orphans'))
  await expect.poll(() => names('pods -n orphans'), { timeout: 10_000 }).toHaveLength(2)
  await kubectl('delete deployment web -n orphans --cascade=orphan --wait --timeout=20s')
  const [set, ...others] = await names('replicasets -n orphans')
  expect(others).toEqual([])
  expect(await kubectl(`get ${set} -n orphans -o jsonpath={.metadata.ownerReferences}`)).toBe('')
  await kubectl(`delete ${set} -n orphans --wait --timeout=20s`)
  await expect.poll(() => names('pods -n orphans'), { timeout: 10_000 }).toEqual([])
})

it('kubectl deletes a namespace with whatever is in it', async () => {
  await kubectl('create namespace shop')
  await kubectl('apply -f -', workload('web', 'shop'))
  await kubectl('expose deployment web -n shop --port=80 --target-port=http')
  await kubectl('create configmap settings -n shop --from-literal=a=b')
  await expect.poll(() => names('endpointslices -n shop'), { timeout: 10_000 }).toHaveLength(1)
  await kubectl('delete namespace shop --wait --timeout=30s')
  expect(await names('namespaces')).not.toContain('namespace/shop')
  expect(await names('deployments,replicasets,pods,services,endpoints,endpointslices,configmaps,serviceaccounts -n shop')).toEqual([])
})

it('kubectl sees the pods behind a service once they are ready', async () => {
  const { admin } = server
  await kubectl('create namespace served')
  await kubectl('create -f -', 'apiVersion: v1\nkind: Node\nmetadata: { name: moth, labels: { topology.kubernetes.io/zone: attic } }')
  await kubectl('apply -f -', workload('web', 'served'))
  await kubectl('expose deployment web -n served --port=80 --target-port=http')
  await expect.poll(() => names('pods -n served'), { timeout: 10_000 }).toHaveLength(2)
  const now = formatTime(systemClock.now())
  for (const [index, { metadata }] of (await admin.list(pod, { namespace: 'served' })).items.entries()) {
    const binding = `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"${metadata.name}"},"target":{"kind":"Node","name":"moth"}}`
    await kubectl(`create --raw /api/v1/namespaces/served/pods/${metadata.name}/binding -f -`, binding)
    const podIP = `10.244.0.${index + 2}`
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now }]
    const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions }
    await admin.patch(pod, metadata, { type: 'merge', body: { status } }, { subresource: 'status' })
  }
  const addresses = async () =>
    (await kubectl('get endpointslices -n served -o jsonpath={.items[*].endpoints[*].addresses[0]}')).split(' ').sort()
  await expect.poll(addresses, { timeout: 10_000 }).toEqual(['10.244.0.2', '10.244.0.3'])
  expect(await kubectl('get endpointslices -n served -o jsonpath={.items[0].ports[0].port}')).toBe('8080')
  expect(await kubectl('get endpointslices -n served -o jsonpath={.items[0].endpoints[0].zone}')).toBe('attic')
  expect(await kubectl('get endpoints web -n served -o jsonpath={.subsets[0].ports[0].port}')).toBe('8080')
})

it('none of it was a fault to any controller', () => {
  expect(complaints).toEqual([])
})
