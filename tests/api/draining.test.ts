/** `kubectl drain` against disruption budgets, and what admission says to kubectl. */
import { execFile } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  node,
  pod,
  podDisruptionBudget,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
} from '../../electron/api/kinds.gen.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { createControllers } from '../../electron/controllers/controllers.ts'
import { serve, type Served } from './served.ts'

const namespace = 'default'
const labels = { app: 'web' }

let served: Served
const stack = new AsyncDisposableStack()
beforeAll(async () => {
  served = stack.use(await serve({ admission: { disabled: ['ServiceAccount'] } }))
  const deps = { client: served.admin, clock: systemClock, random: systemRandom, logger: silentLogger }
  await stack.use(createControllers({ ...deps, only: ['disruption-controller'] })).start()
})
afterAll(() => stack.disposeAsync())

const kubectl = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile('kubectl', ['--kubeconfig', served.kubeconfig, ...args], { env: { ...process.env, HOME: served.dir } }, (error, out, err) =>
      resolve({ code: error ? 1 : 0, out, err }),
    )
  })

async function running(name: string): Promise<void> {
  await served.admin.create(pod, {
    metadata: { name, namespace, labels },
    spec: { nodeName: 'worker', containers: [{ name: 'c', image: 'i' }] },
  })
  const body = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }
  await served.admin.patch(pod, { name, namespace }, { type: 'strategic', body }, { subresource: 'status' })
}

const names = async () => (await served.admin.list(pod, { namespace })).items.map(({ metadata }) => metadata.name)

it('drains a node one pod after the other, as the budget allows', async () => {
  await served.admin.create(node, { metadata: { name: 'worker' } })
  const spec = { minAvailable: 1, selector: { matchLabels: labels } }
  const { metadata } = await served.admin.create(podDisruptionBudget, { metadata: { name: 'web', namespace }, spec })
  await running('a')
  await running('b')
  await expect.poll(async () => (await served.admin.get(podDisruptionBudget, metadata)).status.disruptionsAllowed).toBe(1)
  const drained = kubectl('drain', 'worker', '--force', '--grace-period=0', '--timeout=120s')
  await expect.poll(async () => (await names()).length).toBe(1)
  expect((await served.admin.get(node, { name: 'worker' })).spec.unschedulable).toBe(true)
  await served.admin.create(pod, {
    metadata: { name: 'c', namespace, labels },
    spec: { nodeName: 'other', containers: [{ name: 'c', image: 'i' }] },
  })
  const body = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }
  await served.admin.patch(pod, { name: 'c', namespace }, { type: 'strategic', body }, { subresource: 'status' })
  const { code, out, err } = await drained
  expect([code, out]).toEqual([0, expect.stringContaining('node/worker drained') as string])
  expect(err).toContain("Cannot evict pod as it would violate the pod's disruption budget.")
  expect(await names()).toEqual(['c'])
})

it('tells kubectl what a policy says', async () => {
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE' as const], resources: ['configmaps'] }]
  const validations = [{ expression: `'owner' in object.metadata.?labels.orValue({})`, message: 'who owns it?' }]
  const policyName = 'owned'
  await served.admin.create(validatingAdmissionPolicy, {
    metadata: { name: policyName },
    spec: { matchConstraints: { resourceRules }, validations },
  })
  const bind = (action: 'Deny' | 'Warn') =>
    served.admin.create(validatingAdmissionPolicyBinding, {
      metadata: { name: action.toLowerCase() },
      spec: { policyName, validationActions: [action] },
    })
  await bind('Warn')
  const said = `Validation failed for ValidatingAdmissionPolicy 'owned' with binding 'warn': who owns it?`
  const warned = await kubectl('create', 'configmap', 'one')
  expect([warned.code, warned.err]).toEqual([0, `Warning: ${said}\n`])
  await bind('Deny')
  const refused = await kubectl('create', 'configmap', 'two')
  expect(refused.code).toBe(1)
  expect(refused.err).toContain(
    `configmaps "two" is forbidden: ValidatingAdmissionPolicy 'owned' with binding 'deny' denied request: who owns it?`,
  )
  expect((await kubectl('get', 'validatingadmissionpolicies')).out).toMatch(/^NAME +VALIDATIONS +PARAMKIND +AGE\nowned +1 +<unset> /)
})

it('finds an API service for each group, and whom extension servers trust', async () => {
  const { out } = await kubectl('get', 'apiservices')
  expect(out).toMatch(/v1\.apps +Local +True/)
  const trust = await kubectl('-n', 'kube-system', 'get', 'configmap', 'extension-apiserver-authentication', '-o', 'jsonpath={.data}')
  expect(JSON.parse(trust.out)).toMatchObject({ 'requestheader-username-headers': '["X-Remote-User"]' })
})
