/** The facts of our own kind, in the form of Kubernetes'. They say what `infra/v1alpha1/types.ts` says in types. */
import type { FactSchema } from './facts.ts'

export const MACHINE_MODEL = 'dev.flotilla.infra.v1alpha1.Machine'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const model = (name: string) => `dev.flotilla.infra.v1alpha1.${name}`
const ref = (name: string, extra: Omit<FactSchema, '$ref'> = {}): FactSchema => ({ $ref: `#/components/schemas/${name}`, ...extra })
const our = (name: string) => ref(model(name))
const text: FactSchema = { type: 'string' }
const always: FactSchema = { type: 'string', default: '' }
const flag: FactSchema = { type: 'boolean' }
const bytes: FactSchema = { type: 'integer', format: 'int64' }
const int: FactSchema = { type: 'integer', format: 'int32' }
const port: FactSchema = { type: 'integer', format: 'int32', default: 22 }
const time = ref(`${META}Time`)
const oneOf = (...values: string[]): FactSchema => ({ type: 'string', enum: values })
const named = (item: FactSchema): FactSchema => ({
  type: 'array',
  items: item,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
})
const object = (properties: Record<string, FactSchema>, required: string[] = []): FactSchema =>
  required.length ? { type: 'object', properties, required } : { type: 'object', properties }

export const MACHINE_FACTS: Readonly<Record<string, FactSchema>> = {
  [MACHINE_MODEL]: object({
    apiVersion: text,
    kind: text,
    metadata: ref(`${META}ObjectMeta`, { default: {} }),
    spec: { ...our('MachineSpec'), default: {} },
    status: { ...our('MachineStatus'), default: {} },
  }),
  [model('MachineSpec')]: object(
    {
      installRuntime: flag,
      labels: { type: 'object', additionalProperties: text },
      nodeIP: text,
      provider: { ...oneOf('qemu', 'sandbox', 'ssh'), default: '' },
      qemu: our('VirtualMachineSpec'),
      sandbox: our('SandboxSpec'),
      ssh: our('SshEndpoint'),
    },
    ['provider'],
  ),
  [model('VirtualMachineSpec')]: object({
    cpus: { type: 'integer', format: 'int32', default: 2 },
    diskBytes: { ...bytes, default: 20 * 2 ** 30 },
    image: our('CloudImage'),
    memoryBytes: { ...bytes, default: 2 ** 31 },
    power: { ...oneOf('Off', 'On', 'Suspended'), default: 'On' },
  }),
  [model('CloudImage')]: object({ sha256: always, url: always }, ['url', 'sha256']),
  [model('SandboxSpec')]: object({ memoryBytes: bytes }),
  [model('SshEndpoint')]: object(
    {
      auth: { ...oneOf('agent', 'key', 'password'), default: 'key' },
      host: always,
      hostKey: always,
      jump: our('SshJump'),
      keyFile: text,
      port,
      user: { type: 'string', default: 'root' },
    },
    ['host', 'hostKey'],
  ),
  [model('SshJump')]: object({ host: always, hostKey: always, port, user: { type: 'string', default: 'root' } }, ['host', 'hostKey']),
  [model('MachineStatus')]: object({
    address: text,
    agentVersion: text,
    architecture: text,
    conditions: {
      type: 'array',
      items: ref(`${META}Condition`),
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
    failure: our('MachineFailure'),
    link: our('MachineLink'),
    operatingSystem: text,
    phase: oneOf('Failed', 'Pending', 'Provisioning', 'Ready', 'Removing', 'Stopped', 'Suspended', 'Unreachable'),
    preflight: named(our('PreflightCheck')),
    qemu: our('VirtualMachineStatus'),
    setup: our('MachineSetup'),
    steps: named(our('MachineStep')),
  }),
  [model('VirtualMachineStatus')]: object({ accelerator: oneOf('hvf', 'kvm', 'tcg'), cpus: int, memoryBytes: bytes, restartNeeded: flag }),
  [model('MachineSetup')]: object({ finishedAt: time, milliseconds: int, receivedBytes: bytes, sentBytes: bytes }),
  [model('MachineStep')]: object(
    {
      detail: text,
      finishedAt: time,
      name: always,
      startedAt: time,
      state: { ...oneOf('done', 'failed', 'running', 'waiting'), default: 'waiting' },
      title: always,
    },
    ['name'],
  ),
  [model('PreflightCheck')]: object({ advice: text, found: always, name: always, state: { ...oneOf('fail', 'ok', 'warn'), default: 'ok' } }, [
    'name',
  ]),
  [model('MachineFailure')]: object({ code: always, next: always, step: always, what: always, why: always }),
  [model('MachineLink')]: object(
    {
      attempts: { type: 'integer', format: 'int32' },
      connected: { type: 'boolean', default: false },
      lastError: text,
      nextAttempt: time,
      since: time,
    },
    ['connected'],
  ),
}
