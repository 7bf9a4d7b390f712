/** What kubectl is told where the labels of a namespace ask pods to be safe. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

const stack = new AsyncDisposableStack()
let server: SecureServer
let config: string

beforeAll(async () => {
  server = stack.use(await startSecureServer())
  config = await server.kubeconfig('admin', 'system:masters')
})
afterAll(() => stack.disposeAsync())

async function kubectl(line: string, input?: string) {
  const { code, out, err } = await run('kubectl', ['--kubeconfig', config, ...line.split(' ')], input === undefined ? {} : { input })
  return { code, said: `${out}${err}`.trim().split('\n') }
}

const EDGE = 'host namespaces (hostNetwork=true)'
const podOf = (name: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: strict }
spec: { serviceAccountName: default, ${more} containers: [{ name: app, image: "example.com/app:1" }] }
`
const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: strict }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: app, image: "example.com/app:1" }] }
`

it('a namespace says what pods there may be, and kubectl why there is none', async () => {
  await kubectl('create namespace strict')
  await kubectl('create serviceaccount default -n strict')
  expect(await kubectl('create -f -', podOf('early', 'hostNetwork: true,'))).toEqual({ code: 0, said: ['pod/early created'] })

  expect(await kubectl('label namespace strict pod-security.kubernetes.io/enforce=high')).toEqual({
    code: 1,
    said: [
      'The Namespace "strict" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "high": must be one of privileged, baseline, restricted',
    ],
  })
  const labels = 'pod-security.kubernetes.io/enforce=baseline pod-security.kubernetes.io/warn=restricted'
  const { code, said } = await kubectl(`label namespace strict ${labels}`)
  expect([code, said.sort()]).toEqual([
    0,
    [
      'Warning: early: host namespaces',
      'Warning: existing pods in namespace "strict" violate the new PodSecurity enforce level "baseline:latest"',
      'namespace/strict labeled',
    ],
  ])

  expect(await kubectl('create -f -', podOf('late', 'hostNetwork: true,'))).toEqual({
    code: 1,
    said: [
      `Error from server (Forbidden): error when creating "STDIN": pods "late" is forbidden: violates PodSecurity "baseline:latest": ${EDGE}`,
    ],
  })
  const made = await kubectl('create -f -', workload)
  expect([made.code, made.said.find((line) => line.startsWith('Warning'))]).toEqual([
    0,
    'Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "app" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ])
})

it('kubectl shows what a label would mean before it is set', async () => {
  await kubectl('create namespace tried')
  await kubectl('create serviceaccount default -n tried')
  await kubectl('run plain -n tried --image=example.com/app:1')
  const { code, said } = await kubectl('label --dry-run=server namespace tried pod-security.kubernetes.io/enforce=restricted')
  expect([code, said]).toEqual([
    0,
    expect.arrayContaining([
      'Warning: existing pods in namespace "tried" violate the new PodSecurity enforce level "restricted:latest"',
      'Warning: plain: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
    ]),
  ])
  expect((await kubectl('run other -n tried --image=example.com/app:1')).code).toBe(0)
})
