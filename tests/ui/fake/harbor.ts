/** The cluster of the design's pages: four machines, one that did not join, and what runs on them. */
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import type { Deployment } from '../../../electron/api/apps/v1/types.gen.ts'
import type { Client } from '../../../electron/client/client.ts'
import { CONFIG_MAP, DAEMON_SET, DEPLOYMENT, MACHINE, NAMESPACE, NODE, SECRET, SERVICE } from './cluster.ts'

export interface NodeSpec {
  readonly name: string
  readonly ip: string
  readonly cpu: number
  readonly memory: string
  readonly arch?: string
  readonly provider?: 'ssh' | 'sandbox'
  readonly pressure?: boolean
}

const NODES: readonly NodeSpec[] = [
  { name: 'moth', ip: '10.77.0.11', cpu: 6, memory: '10Gi', provider: 'sandbox' },
  { name: 'skiff', ip: '192.168.1.21', cpu: 4, memory: '15Gi' },
  { name: 'ketch', ip: '192.168.1.30', cpu: 16, memory: '61Gi' },
  { name: 'dory', ip: '192.168.1.44', cpu: 4, memory: '7680Mi', arch: 'arm64', pressure: true },
]
const IMAGES = ['flotilla.local/demo:1', 'shop/checkout:3.2.1', 'docker.io/library/busybox:1.36']

const now = () => `${new Date().toISOString().slice(0, 19)}Z`

export async function addNode(client: Client, { name, ip, cpu, memory, arch = 'amd64', pressure = false }: NodeSpec): Promise<void> {
  const at = now()
  const made = await client.create(NODE, {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/arch': arch, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR: '10.244.1.0/24' },
    status: {
      capacity: { cpu: String(cpu), memory, pods: '110' },
      allocatable: { cpu: String(cpu), memory, pods: '110' },
      addresses: [
        { type: 'InternalIP', address: ip },
        { type: 'Hostname', address: name },
      ],
      conditions: [
        {
          type: 'MemoryPressure',
          status: 'False',
          reason: 'KubeletHasSufficientMemory',
          message: 'kubelet has sufficient memory available',
          lastTransitionTime: at,
          lastHeartbeatTime: at,
        },
        {
          type: 'DiskPressure',
          status: pressure ? 'True' : 'False',
          reason: pressure ? 'KubeletHasDiskPressure' : 'KubeletHasNoDiskPressure',
          message: pressure ? '87% of the disk is used' : '',
          lastTransitionTime: at,
          lastHeartbeatTime: at,
        },
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
          lastTransitionTime: at,
          lastHeartbeatTime: at,
        },
      ],
      images: IMAGES.map((image) => ({ names: [image], sizeBytes: 5_000_000 })),
      nodeInfo: {
        machineID: name,
        systemUUID: name,
        bootID: name,
        kernelVersion: '6.1.0-28-amd64',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        containerRuntimeVersion: 'containerd://1.6.20',
        kubeletVersion: 'v1.36.0',
        kubeProxyVersion: 'v1.36.0',
        operatingSystem: 'linux',
        architecture: arch,
      },
    },
  })
  // The API server gives each new node this taint, which the node lifecycle controller takes away.
  if (made.spec.taints?.length) await client.update(NODE, { ...made, spec: { ...made.spec, taints: [] } })
}

const STEPS = [
  'Connect and pin host key',
  'Preflight',
  'Copy agent',
  'Install container runtime',
  'Join network',
  'Register node',
  'Import base images',
  'Ready',
]
export const stepNames = STEPS

export async function addMachineObject(client: Client, spec: NodeSpec): Promise<void> {
  const { name, ip, provider = 'ssh' } = spec
  const at = now()
  const made = await client.create(MACHINE, {
    metadata: { name },
    spec: {
      provider,
      ...(provider === 'ssh'
        ? {
            ssh: {
              host: ip,
              port: 22,
              user: 'mira',
              hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
              auth: 'key',
              keyFile: '~/.ssh/id_ed25519',
            },
          }
        : { sandbox: {} }),
    },
  })
  await client.update(
    MACHINE,
    {
      ...made,
      status: {
        phase: 'Ready',
        address: ip,
        operatingSystem: 'Debian 12',
        architecture: spec.arch ?? 'amd64',
        agentVersion: '0.1.0',
        link: { connected: true, since: at },
        steps: STEPS.map((title) => ({
          name: title.toLowerCase().replaceAll(' ', '-'),
          title,
          state: 'done' as const,
          startedAt: at,
          finishedAt: at,
        })),
        preflight: [
          { name: 'system', state: 'ok', found: 'Debian 12, amd64, kernel 6.1' },
          { name: 'swap', state: 'warn', found: 'Swap is on, 2 Gi', advice: 'Kept on; pods get none of it.' },
        ],
      },
    },
    { subresource: 'status' },
  )
}

interface App {
  readonly ns: string
  readonly name: string
  readonly n: number
  readonly image?: string
  readonly fate?: string
  readonly cpu?: string
  readonly memory?: string
  readonly limit?: string
  readonly port?: number
  readonly sidecar?: boolean
}

const APPS: readonly App[] = [
  { ns: 'shop', name: 'web', n: 3, port: 80, cpu: '100m', memory: '128Mi', limit: '256Mi', sidecar: true },
  { ns: 'shop', name: 'api', n: 4, port: 8080, cpu: '400m', memory: '512Mi', limit: '1Gi' },
  { ns: 'shop', name: 'checkout', n: 4, image: 'shop/checkout:3.2.1', fate: 'oom*1', cpu: '200m', memory: '128Mi', limit: '256Mi' },
  { ns: 'shop', name: 'worker', n: 2, cpu: '1', memory: '1Gi', limit: '1Gi' },
  { ns: 'data', name: 'postgres', n: 3, cpu: '500m', memory: '2Gi', limit: '2Gi', port: 5432, fate: 'restarted*1' },
  { ns: 'data', name: 'redis', n: 2, cpu: '100m', memory: '256Mi', port: 6379 },
  { ns: 'ml', name: 'embedder', n: 1, cpu: '4', memory: '80Gi' },
  { ns: 'ml', name: 'index', n: 2, cpu: '2', memory: '4Gi' },
  { ns: 'home', name: 'assistant', n: 1, cpu: '200m', memory: '512Mi' },
  { ns: 'home', name: 'mosquitto', n: 1, cpu: '50m', memory: '64Mi' },
  { ns: 'home', name: 'jellyfin', n: 1, cpu: '2', memory: '6Gi' },
  { ns: 'ci', name: 'runner', n: 3, cpu: '500m', memory: '512Mi', fate: 'starting*1' },
]

export function deploymentOf(app: App): Draft<Deployment> {
  const labels = { app: app.name }
  const container = {
    name: 'app',
    image: app.image ?? `${app.ns}/${app.name}:1.4.0`,
    ...(app.port ? { ports: [{ containerPort: app.port }] } : {}),
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'DB_URL', valueFrom: { secretKeyRef: { name: 'shop-db', key: 'url', optional: true } } },
    ],
    resources: {
      requests: { cpu: app.cpu ?? '50m', memory: app.memory ?? '64Mi' },
      ...(app.limit ? { limits: { memory: app.limit } } : {}),
    },
    volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
  }
  const sidecar = { name: 'proxy', image: 'shop/proxy:1', resources: { requests: { cpu: '10m', memory: '16Mi' } } }
  return {
    metadata: { name: app.name, namespace: app.ns, labels },
    spec: {
      replicas: app.n,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, ...(app.fate ? { annotations: { 'fake/fate': app.fate } } : {}) },
        spec: { containers: app.sidecar ? [container, sidecar] : [container], volumes: [{ name: 'cache', emptyDir: {} }] },
      },
    },
  }
}

export async function makeHarbor(client: Client): Promise<void> {
  for (const ns of ['shop', 'data', 'ml', 'home', 'ci']) await client.create(NAMESPACE, { metadata: { name: ns } })
  for (const node of NODES) {
    await addMachineObject(client, node)
    await addNode(client, node)
  }
  for (const app of APPS) {
    await client.create(DEPLOYMENT, deploymentOf(app))
    if (app.port)
      await client.create(SERVICE, {
        metadata: { name: app.name, namespace: app.ns },
        spec: {
          selector: { app: app.name },
          ports: [{ port: app.port, protocol: 'TCP', targetPort: app.port }],
          ...(app.name === 'web' ? { type: 'NodePort' } : {}),
        },
      })
  }
  const labels = { app: 'node-logs' }
  await client.create(DAEMON_SET, {
    metadata: { name: 'node-logs', namespace: 'kube-system', labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'logs', image: 'tools/logs:2', resources: { requests: { cpu: '20m', memory: '32Mi' } } }] },
      },
    },
  })
  await client.create(CONFIG_MAP, {
    metadata: { name: 'flags', namespace: 'shop' },
    data: { 'flags.yaml': 'checkout:\n  newFlow: true\n', region: 'eu' },
  })
  await client.create(SECRET, {
    metadata: { name: 'shop-db', namespace: 'shop' },
    type: 'Opaque',
    data: {
      url: Buffer.from('postgres://shop:hunter2@postgres.data/shop').toString('base64'),
      password: Buffer.from('hunter2').toString('base64'),
    },
  })
}
