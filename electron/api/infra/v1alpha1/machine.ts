import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable, validateLabels } from '../../meta/v1/validation.ts'
import { MACHINE_MODEL } from '../../schema/machine-facts.ts'
import { forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { ipErrors } from '../../values/ip.ts'
import { portNumber } from '../../values/names.ts'
import { age } from '../../values/time.ts'
import type { Machine, MachineSpec, SshEndpoint, VirtualMachineSpec } from './types.ts'

const PROVIDERS = ['qemu', 'sandbox', 'ssh']
const AUTH = ['agent', 'key', 'password']
/** Below this nothing can run. */
const MIN_MEMORY = 64 * 1024 * 1024
/** Below this our own image does not boot, or has no room for a pod. */
const MIN_VIRTUAL = { cpus: 1, memoryBytes: 384 * 2 ** 20, diskBytes: 4 * 2 ** 30 }
const MAX_CPUS = 256
const SHA256 = /^[0-9a-f]{64}$/i
const HOST_KEY = /^(ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+) [A-Za-z0-9+/]+={0,2}$/

export const machine = defineKind<Machine>({
  group: 'infra.flotilla.dev',
  version: 'v1alpha1',
  kind: 'Machine',
  resource: 'machines',
  namespaced: false,
  model: MACHINE_MODEL,
  subresources: { status: true },
  columns: [
    { name: 'Provider', type: 'string', description: 'What the machine is', value: ({ spec }) => spec.provider },
    {
      name: 'Phase',
      type: 'string',
      description: 'How far it is on the way to being a node',
      value: ({ status }) => status.phase ?? 'Pending',
    },
    {
      name: 'Address',
      type: 'string',
      description: 'Where it is reached',
      value: ({ spec, status }) => status.address || spec.ssh?.host || '<none>',
    },
    { name: 'Link', type: 'string', description: 'The connection to it, and since when', value: linkText },
    ageColumn,
  ],
  selectableFields: { 'spec.provider': ({ spec }) => spec.provider, 'status.phase': ({ status }) => status.phase ?? '' },
  strategy: {
    prepareForCreate(machine) {
      machine.status = { phase: 'Pending' }
    },
    validate: ({ spec }) => validateSpec(spec),
    validateUpdate: ({ spec }, old) => [
      ...immutable('spec.provider', spec.provider, old.spec.provider),
      ...immutable('spec.qemu.image', spec.qemu?.image, old.spec.qemu?.image),
      ...(spec.qemu && old.spec.qemu && spec.qemu.diskBytes < old.spec.qemu.diskBytes
        ? [forbidden('spec.qemu.diskBytes', 'a disk cannot become smaller')]
        : []),
    ],
  },
})

function linkText({ status: { link } }: Machine, now: number): string {
  if (!link) return '<none>'
  return `${link.connected ? 'Up' : 'Down'} ${age(link.since, now)}`
}

function validateSpec(spec: MachineSpec): FieldError[] {
  const { provider, ssh, sandbox, qemu, nodeIP } = spec
  const out: FieldError[] = []
  if (!provider) out.push(required('spec.provider'))
  else if (!PROVIDERS.includes(provider)) out.push(notSupported('spec.provider', provider, PROVIDERS))
  if (ssh) out.push(...validateSsh(ssh, 'spec.ssh'))
  else if (provider === 'ssh') out.push(required('spec.ssh', "must be specified when `provider` is 'ssh'"))
  if (sandbox && provider !== 'sandbox') out.push(forbidden('spec.sandbox', "may only be used when `provider` is 'sandbox'"))
  if (qemu && provider !== 'qemu') out.push(forbidden('spec.qemu', "may only be used when `provider` is 'qemu'"))
  else if (qemu) out.push(...validateVirtual(qemu, 'spec.qemu'))
  const memory = sandbox?.memoryBytes
  if (memory !== undefined && memory < MIN_MEMORY) {
    out.push(invalid('spec.sandbox.memoryBytes', memory, `must be at least ${MIN_MEMORY}`))
  }
  if (nodeIP !== undefined) out.push(...ipErrors('spec.nodeIP', nodeIP))
  return [...out, ...validateLabels(spec.labels, 'spec.labels')]
}

function validateVirtual(spec: VirtualMachineSpec, field: string): FieldError[] {
  const out: FieldError[] = []
  for (const [key, least] of Object.entries(MIN_VIRTUAL)) {
    const value = spec[key as keyof typeof MIN_VIRTUAL]
    if (value < least) out.push(invalid(`${field}.${key}`, value, `must be at least ${least}`))
  }
  if (spec.cpus > MAX_CPUS) out.push(invalid(`${field}.cpus`, spec.cpus, `must be at most ${MAX_CPUS}`))
  const { image } = spec
  if (image && !/^https?:\/\/\S+$/.test(image.url)) out.push(invalid(`${field}.image.url`, image.url, 'must be an http or https URL'))
  if (image && !SHA256.test(image.sha256))
    out.push(invalid(`${field}.image.sha256`, image.sha256, 'must be a SHA-256 checksum of 64 hexadecimal digits'))
  return out
}

function validateSsh(ssh: SshEndpoint, field: string): FieldError[] {
  const { auth, jump } = ssh
  const out = validateEndpoint(ssh, field)
  if (!AUTH.includes(auth)) out.push(notSupported(`${field}.auth`, auth, AUTH))
  return jump ? [...out, ...validateEndpoint(jump, `${field}.jump`)] : out
}

/** A host key that is not pinned yet is none: whoever makes the machine has seen it. */
function validateEndpoint(endpoint: Pick<SshEndpoint, 'host' | 'port' | 'user' | 'hostKey'>, field: string): FieldError[] {
  const { host, port, user, hostKey } = endpoint
  const out: FieldError[] = []
  if (!host) out.push(required(`${field}.host`))
  else if (/[\s/@]/.test(host)) out.push(invalid(`${field}.host`, host, 'must be a host name or an IP address'))
  out.push(...invalidEach(`${field}.port`, port, portNumber(port)))
  if (!user) out.push(required(`${field}.user`))
  if (!hostKey) out.push(required(`${field}.hostKey`))
  else if (!HOST_KEY.test(hostKey)) {
    out.push(invalid(`${field}.hostKey`, hostKey, "must be a key type and a key in base64, as in known_hosts (e.g. 'ssh-ed25519 AAAA…')"))
  }
  return out
}
