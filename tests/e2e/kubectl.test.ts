/** kubectl against a cluster of two nodes, as somebody would use it in a first hour; then a killed app and a cut link. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Node, Pod, Service } from '../../electron/api/core/v1/types.gen.ts'
import type { Deployment } from '../../electron/api/apps/v1/types.gen.ts'
import { App, run, until } from './cluster.ts'
import { NEXT_TOOLS_IMAGE, TOOLS_IMAGE, toolsArchives } from './tools-image.ts'

const DEMO = 'flotilla.local/demo:1'

let app: App
let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'flotilla-e2e-'))
  app = await App.create()
  await app.up(2)
})
afterAll(async () => {
  await app?.[Symbol.asyncDispose]()
  await rm(scratch, { recursive: true, force: true })
})

const pods = async (selector: string) => (await app.get<{ items: Pod[] }>('pods', '-l', selector)).items
const running = async (selector: string) =>
  (await pods(selector)).filter(
    ({ metadata, status }) =>
      !metadata.deletionTimestamp && status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
  )
const onNode = (pod: Pod) => pod.spec.nodeName ?? ''
const firstOn = (all: readonly Pod[], node: string): Pod => {
  const found = all.find((pod) => onNode(pod) === node)
  if (!found) throw new Error(`no pod on ${node}`)
  return found
}

describe('a first hour with kubectl', () => {
  it('sees two nodes that are Ready', async () => {
    const { items } = await app.get<{ items: Node[] }>('nodes')
    expect(items.map(({ metadata }) => metadata.name)).toEqual([...app.ready.nodes].sort())
    const table = await app.kube('get', 'nodes')
    expect(table.split('\n')[0]).toMatch(/^NAME +STATUS +ROLES +AGE +VERSION$/)
    expect(table.match(/ Ready +<none> +\S+ +v1\.36/g)).toHaveLength(2)
  })

  it('imports images onto both', async () => {
    for (const archive of await toolsArchives(scratch)) {
      const { code, out, err } = await app.flotilla('image', 'import', archive, '--json')
      expect(code, err).toBe(0)
      expect((JSON.parse(out) as { machines: unknown[] }).machines).toHaveLength(2)
    }
  })

  it('creates a deployment and waits for its rollout', async () => {
    expect(await app.kube('create', 'deployment', 'web', `--image=${DEMO}`, '--replicas=4')).toBe('deployment.apps/web created\n')
    expect(await app.kube('rollout', 'status', 'deployment/web', '--timeout=60s')).toMatch(/deployment "web" successfully rolled out\n$/)
    expect(await app.kube('get', 'deployment', 'web')).toMatch(/web +4\/4 +4 +4 +/)
    const nodes = new Set((await running('app=web')).map(onNode))
    expect([...nodes].sort()).toEqual([...app.ready.nodes].sort())
  })

  it('lists pods wide, with their addresses and nodes', async () => {
    const [head = '', ...rows] = (await app.kube('get', 'pods', '-o', 'wide')).trimEnd().split('\n')
    expect(head).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$/)
    expect(rows).toHaveLength(4)
    for (const row of rows)
      expect(row).toMatch(/^web-[0-9a-z]+-[0-9a-z]{5} +1\/1 +Running +0 +\S+ +10\.244\.\d+\.\d+ +node-\d +<none> +<none>$/)
  })

  it('updates the image, and undoes it', async () => {
    await app.kube('set', 'image', 'deployment/web', `demo=${NEXT_TOOLS_IMAGE}`)
    await app.kube('rollout', 'status', 'deployment/web', '--timeout=90s')
    expect(new Set((await running('app=web')).map((pod) => pod.spec.containers[0]?.image))).toEqual(new Set([NEXT_TOOLS_IMAGE]))
    expect(await app.kube('rollout', 'history', 'deployment/web')).toMatch(/\n1 +<none>\n2 +<none>\n/)
    expect(await app.kube('rollout', 'undo', 'deployment/web')).toBe('deployment.apps/web rolled back\n')
    await app.kube('rollout', 'status', 'deployment/web', '--timeout=90s')
    expect(new Set((await running('app=web')).map((pod) => pod.spec.containers[0]?.image))).toEqual(new Set([DEMO]))
  })

  it('scales', async () => {
    expect(await app.kube('scale', 'deployment/web', '--replicas=2')).toBe('deployment.apps/web scaled\n')
    await until('two pods are left', async () => (await pods('app=web')).length === 2)
    expect((await app.get<Deployment>('deployment', 'web')).status.replicas).toBe(2)
  })

  it('follows logs', async () => {
    const follow = spawn('kubectl', ['--kubeconfig', app.ready.kubeconfig, 'logs', '-f', 'deployment/web', '--tail=1'])
    let text = ''
    follow.stdout.on('data', (chunk) => (text += String(chunk)))
    await until('more lines arrive', () => (text.match(/ line \d+ from web-/g)?.length ?? 0) >= 3, 20_000)
    follow.kill('SIGTERM')
    const previous = await app.kubectl('logs', 'deployment/web', '--previous')
    expect(previous.err).toMatch(/previous terminated container "demo" in pod "web-\S+" not found/)
  })

  it('runs a command, with input, output, exit code', async () => {
    const [pod] = await running('app=web')
    const name = pod?.metadata.name ?? ''
    const kubectl = (...args: string[]) => run('kubectl', ['--kubeconfig', app.ready.kubeconfig, ...args], { input: 'abc' })
    expect(await kubectl('exec', '-i', name, '--', 'sh', '-c', 'cat; echo out; echo err >&2; exit 7')).toMatchObject({
      code: 7,
      out: 'abcout\n',
      err: expect.stringContaining('err\ncommand terminated with exit code 7') as string,
    })
  })

  it('opens a terminal', async () => {
    const [pod] = await running('app=web')
    // `script` gives kubectl a terminal of its own.
    const command = `kubectl --kubeconfig ${app.ready.kubeconfig} exec -it ${pod?.metadata.name} -- sh`
    const { code, out } = await run('script', ['-qec', command, '/dev/null'], { input: 'tty; echo $((6*7))\nexit 3\n', timeout: 20_000 })
    expect(out).toMatch(/\/dev\/(pts\/\d+|console)/)
    expect(out).toMatch(/^42\r$/m)
    expect(code).toBe(3)
  })

  it('describes', async () => {
    const text = await app.kube('describe', 'deployment', 'web')
    expect(text).toMatch(/^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable$/m)
    expect(text).toMatch(/ScalingReplicaSet +\S+ .*deployment-controller +Scaled up replica set web-\S+ from 0 to 4/)
    const [pod] = await running('app=web')
    const described = await app.kube('describe', 'pod', pod?.metadata.name ?? '')
    expect(described).toMatch(/^Status: +Running$/m)
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(described).toMatch(new RegExp(`Normal +${reason} `))
    expect(await app.kube('describe', 'node', app.ready.nodes[0] ?? '')).toMatch(/^ +Ready +True /m)
  })

  const MANIFEST = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { colour: blue }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, labels: { app: api } }
spec:
  replicas: 2
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec:
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: { matchLabels: { app: api } } }
      containers:
        - name: demo
          image: ${DEMO}
          ports: [{ containerPort: 8080 }]
          envFrom: [{ configMapRef: { name: settings } }]
          resources: { requests: { cpu: 10m, memory: 8Mi }, limits: { memory: 64Mi } }
          readinessProbe: { httpGet: { path: /healthz, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: api }
spec:
  type: NodePort
  selector: { app: api }
  ports: [{ port: 80, targetPort: 8080 }]
`

  it('applies a manifest twice, and the second time nothing changes', async () => {
    expect(await app.apply(MANIFEST)).toBe('configmap/settings created\ndeployment.apps/api created\nservice/api created\n')
    await app.kube('rollout', 'status', 'deployment/api', '--timeout=60s')
    expect(await app.apply(MANIFEST)).toBe('configmap/settings unchanged\ndeployment.apps/api unchanged\nservice/api unchanged\n')
  })

  it('shows what an apply would change', async () => {
    const args = ['--kubeconfig', app.ready.kubeconfig, 'diff', '-f', '-']
    expect(await run('kubectl', args, { input: MANIFEST })).toMatchObject({ code: 0, out: '' })
    const changed = await run('kubectl', args, { input: MANIFEST.replace('blue', 'green') })
    expect(changed.code).toBe(1)
    expect(changed.out).toMatch(/^-  colour: blue\n\+  colour: green$/m)
  })

  it('explains fields', async () => {
    const text = await app.kube('explain', 'pod.spec.containers.image')
    expect(text).toMatch(/KIND: +Pod\nVERSION: +v1\n\nFIELD: image <string>/)
    expect(text).toMatch(/Container image name/)
    expect(await app.kube('explain', 'deployment', '--recursive')).toMatch(/^ +progressDeadlineSeconds\t<integer>$/m)
  })

  it('answers for a Service by its DNS name, from the other node too', async () => {
    await app.kube('create', 'deployment', 'client', `--image=${TOOLS_IMAGE}`, '--replicas=1')
    await app.kube('rollout', 'status', 'deployment/client', '--timeout=60s')
    const [client] = await running('app=client')
    const servers = await running('app=api')
    const near = onNode(client as Pod)
    const far = app.ready.nodes.find((node) => node !== near) ?? ''
    const name = client?.metadata.name ?? ''
    const sh = (script: string) => app.kube('exec', name, '--', 'sh', '-c', script)
    const { spec } = await app.get<Service>('service', 'api')
    for (const host of ['api', 'api.default', 'api.default.svc.cluster.local'])
      expect((await sh(`getent ahostsv4 ${host} | head -n 1`)).split(/\s/)[0]).toBe(spec.clusterIP)
    const answers = await sh(`for i in $(seq 30); do printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${spec.clusterIP} 80; done`)
    for (const pod of servers) expect(answers).toContain(`${pod.metadata.name} answered`)
    const other = firstOn(servers, far)
    expect(await sh(`printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${other.status.podIP} 8080`)).toContain(
      `${other.metadata.name} answered`,
    )
  })

  it('answers at a port of each node', async () => {
    const { spec } = await app.get<Service>('service', 'api')
    const { items } = await app.get<{ items: Node[] }>('nodes')
    for (const node of items) {
      const address = node.status.addresses?.find(({ type }) => type === 'InternalIP')?.address
      const response = await fetch(`http://${address}:${spec.ports?.[0]?.nodePort}/`, { signal: AbortSignal.timeout(5000) })
      expect(await response.text()).toMatch(/^api-\S+ answered/)
    }
  })

  it('forwards a port', async () => {
    const forward = spawn('kubectl', ['--kubeconfig', app.ready.kubeconfig, 'port-forward', 'deployment/api', ':8080'])
    let text = ''
    forward.stdout.on('data', (chunk) => (text += String(chunk)))
    const port = await until('kubectl forwards', () => /127\.0\.0\.1:(\d+) ->/.exec(text)?.[1])
    const response = await fetch(`http://127.0.0.1:${port}/healthz`)
    expect(await response.text()).toBe('ok\n')
    forward.kill('SIGTERM')
  })

  it('says what is wrong with what it is given, and makes nothing', async () => {
    const apply = (input: string) => run('kubectl', ['--kubeconfig', app.ready.kubeconfig, 'apply', '-f', '-'], { input })
    const unknown = await apply(MANIFEST.replaceAll('name: api', 'name: bad').replace('replicas:', 'replicsa:'))
    expect(unknown.code).toBe(1)
    expect(unknown.err).toContain('unknown field "spec.replicsa"')
    expect((await app.kubectl('get', 'deployment', 'bad')).err).toContain('deployments.apps "bad" not found')
    const yaml = await apply('kind: [')
    expect(yaml.code).toBe(1)
    expect(yaml.err).toMatch(/error parsing|error converting YAML/)
  })

  it('says of an image that cannot be had what is wrong, at the pod and in events', async () => {
    await app.kube('create', 'deployment', 'broken', '--image=flotilla.local/nothing:1')
    const waiting = await until('the pull fails', async () => {
      const state = (await pods('app=broken'))[0]?.status.containerStatuses?.[0]?.state?.waiting
      return state?.reason?.match(/^(ErrImagePull|ImagePullBackOff)$/) && state
    })
    expect(waiting.message).toContain('flotilla.local/nothing:1')
    expect(await app.kube('describe', 'pod', '-l', 'app=broken')).toMatch(
      /Warning +Failed .*Failed to pull image "flotilla.local\/nothing:1"/,
    )
    await app.kube('delete', 'deployment', 'broken')
    await until('its pod is gone', async () => (await pods('app=broken')).length === 0)
  })

  it('deletes, and what belonged to it goes too', async () => {
    expect(await app.kube('delete', 'deployment', 'client')).toBe('deployment.apps "client" deleted\n')
    await until('its pods are gone', async () => (await pods('app=client')).length === 0)
    await app.kube('create', 'namespace', 'gone')
    await app.kube('create', 'configmap', 'x', '-n', 'gone')
    expect(await app.kube('delete', 'namespace', 'gone', '--timeout=60s')).toBe('namespace "gone" deleted\n')
  })
})

interface Container {
  readonly id: string
  readonly restarts: number
}
const containers = async (selector: string): Promise<Container[]> =>
  (await running(selector))
    .map(({ status }) => ({
      id: status.containerStatuses?.[0]?.containerID ?? '',
      restarts: status.containerStatuses?.[0]?.restartCount ?? -1,
    }))
    .sort((a, b) => a.id.localeCompare(b.id))

describe('an app that is killed', () => {
  it('has lost nothing that was acknowledged, and no container was restarted', async () => {
    await app.kube('scale', 'deployment/web', '--replicas=4')
    await app.kube('rollout', 'status', 'deployment/web', '--timeout=60s')
    const before = await containers('app in (web,api)')
    const written: string[] = []
    let killed = false
    const writing = (async () => {
      for (let i = 0; !killed; i++) {
        const { code } = await app.kubectl('create', 'configmap', `kept-${i}`, `--from-literal=n=${i}`)
        if (code === 0) written.push(`kept-${i}`)
      }
    })()
    await until('some are written', () => written.length >= 5)
    await app.kube('set', 'env', 'deployment/web', 'ROUND=2')
    const { kubeconfig } = app.ready
    killed = true
    await app.stop('SIGKILL')
    await writing.catch(() => undefined)
    await app.up(2)
    expect(app.ready.kubeconfig).toBe(kubeconfig)
    const names = (await app.kube('get', 'configmaps', '-o', 'name')).split('\n').map((line) => line.replace('configmap/', ''))
    for (const name of written) expect(names).toContain(name)
    await app.kube('rollout', 'status', 'deployment/web', '--timeout=90s')
    const untouched = (await containers('app=api')).map(({ id }) => id)
    expect(before.map(({ id }) => id)).toEqual(expect.arrayContaining(untouched))
    for (const { restarts } of await containers('app in (web,api)')) expect(restarts).toBe(0)
  })

  it('goes on with logs and commands on the pods that ran meanwhile', async () => {
    const before = await containers('app=api')
    await app.stop('SIGKILL')
    await app.up(2)
    expect(await containers('app=api')).toEqual(before)
    const [pod] = await running('app=api')
    expect(await app.kube('exec', pod?.metadata.name ?? '', '--', 'echo', 'still here')).toBe('still here\n')
  })
})

describe('a machine whose link is cut', () => {
  const PATIENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: moving }
spec:
  replicas: 2
  selector: { matchLabels: { app: moving } }
  template:
    metadata: { labels: { app: moving } }
    spec:
      tolerations:
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5 }
        - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5 }
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: moving } } }
      containers: [{ name: demo, image: ${DEMO} }]
`

  it('has its pods replaced on the other, and ends the leftovers when it comes back', async () => {
    await app.apply(PATIENT)
    await app.kube('rollout', 'status', 'deployment/moving', '--timeout=60s')
    const [stays = '', leaves = ''] = app.ready.nodes
    const lost = firstOn(await running('app=moving'), leaves)
    const { cut, mend } = await linkOf(leaves)
    await cut()
    try {
      // 50 s until the node counts as lost, 5 s that its pods tolerate that, and at most a minute for the rest.
      await until(
        'both run on the other node',
        async () => {
          const here = (await running('app=moving')).filter((pod) => onNode(pod) === stays)
          return here.length === 2
        },
        50_000 + 5_000 + 60_000,
      )
      expect(await app.kube('get', 'node', leaves)).toMatch(/ NotReady /)
    } finally {
      await mend()
    }
    await until('the node is back', async () => / Ready /.test(await app.kube('get', 'node', leaves)), 90_000)
    await until(
      'the replaced pod is gone',
      async () => (await app.kubectl('get', 'pod', lost.metadata.name)).err.includes('NotFound'),
      90_000,
    )
    const id = lost.status.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? ''
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    const list = 'ctr -a /run/flotilla/containerd.sock -n k8s.io containers ls -q; exit\n'
    const left = await run(process.execPath, app.words('node', 'shell', leaves), { input: list })
    expect(left.out).toMatch(/[0-9a-f]{64}/)
    expect(left.out).not.toContain(id)
  }, 400_000)
})

/** The end on this computer of a machine's network link. */
async function linkOf(node: string) {
  const { status } = await app.get<Node>('node', node)
  const address = status.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
  const neighbours = await run('ip', ['-json', 'neigh', 'show', address])
  const [{ dev = '', lladdr = '' } = {}] = JSON.parse(neighbours.out) as { dev?: string; lladdr?: string }[]
  const forwarding = JSON.parse((await run('bridge', ['-json', 'fdb', 'show', 'br', dev])).out) as {
    mac: string
    ifname: string
    state?: string
  }[]
  const port = forwarding.find(({ mac, ifname, state }) => mac === lladdr && ifname !== dev && state !== 'permanent')?.ifname
  if (!port) throw new Error(`the link of ${node} was not found`)
  const nft = async (rules: string) => {
    const { code, err } = await run('nft', ['-f', '-'], { input: rules })
    if (code !== 0) throw new Error(err)
  }
  // A link that is merely down would be put up again.
  const table = 'netdev flotilla_e2e_cut'
  const cut = () => nft(`table ${table} {\nchain in {\ntype filter hook ingress device ${port} priority 0; policy drop;\n}\n}\n`)
  return { cut, mend: () => nft(`delete table ${table}\n`) }
}
