/** What is asked for a machine over SSH, and how it is checked before anything is sent. */
import type { ArgOf } from '../../../../../electron/contracts/channel.ts'
import type { Channels } from '../../../../../electron/contracts/channels.ts'
import { t } from '../../../i18n/index.ts'

export type Auth = 'agent' | 'key' | 'password'

export interface MachineForm {
  host: string
  port: string
  user: string
  name: string
  auth: Auth
  keyFile: string
  passphrase: string
  password: string
  sudoPassword: string
  useJump: boolean
  jumpHost: string
  jumpPort: string
  jumpUser: string
  nodeIP: string
  labels: string
  installRuntime: boolean
}

export const emptyForm = (): MachineForm => ({
  host: '',
  port: '22',
  user: '',
  name: '',
  auth: 'agent',
  keyFile: '~/.ssh/id_ed25519',
  passphrase: '',
  password: '',
  sudoPassword: '',
  useJump: false,
  jumpHost: '',
  jumpPort: '22',
  jumpUser: '',
  nodeIP: '',
  labels: '',
  installRuntime: true,
})

export type FieldErrors = Partial<Record<keyof MachineForm, string>>

/** RFC 1123 subdomain, as Kubernetes wants of a node's name. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const IP = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]+:[0-9a-f:]*)$/i

export function formErrors(form: MachineForm, taken: readonly string[]): FieldErrors {
  const errors: FieldErrors = {}
  if (!form.host.trim()) errors.host = t('add.error.host')
  if (!isPort(form.port)) errors.port = t('add.error.port')
  if (!form.user.trim()) errors.user = t('add.error.user')
  const name = nodeName(form)
  if (!name || !NAME.test(name) || name.length > 253) errors.name = t('add.error.name')
  else if (taken.includes(name)) errors.name = t('add.error.taken', { name })
  if (form.auth === 'key' && !form.keyFile.trim()) errors.keyFile = t('add.error.keyFile')
  if (form.auth === 'password' && !form.password) errors.password = t('add.error.password')
  if (form.useJump) {
    if (!form.jumpHost.trim()) errors.jumpHost = t('add.error.host')
    if (!isPort(form.jumpPort)) errors.jumpPort = t('add.error.port')
    if (!form.jumpUser.trim()) errors.jumpUser = t('add.error.user')
  }
  if (form.nodeIP && !IP.test(form.nodeIP)) errors.nodeIP = t('add.error.ip')
  if (parseLabels(form.labels) === null) errors.labels = t('add.error.labels')
  return errors
}

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535

/** What was typed, else what the host is called if that is a name. */
export function nodeName(form: Pick<MachineForm, 'name' | 'host'>): string {
  const typed = form.name.trim()
  if (typed) return typed
  const host = form.host.trim().toLowerCase()
  return IP.test(host) ? '' : (host.split('.')[0] ?? '')
}

/** "zone=attic, disk=ssd"; null if it cannot be read. */
export function parseLabels(text: string): Record<string, string> | null {
  const labels: Record<string, string> = {}
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const match = /^((?:[a-z0-9.-]+\/)?[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)=([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)?$/.exec(part)
    if (!match?.[1]) return null
    labels[match[1]] = match[2] ?? ''
  }
  return labels
}

type AddArg = ArgOf<Channels['machines.add']>
type Hop = { host: string; port: number; user: string }

export const hopOf = (form: MachineForm): Hop => ({ host: form.host.trim(), port: Number(form.port), user: form.user.trim() })
export const jumpOf = (form: MachineForm): Hop | undefined =>
  form.useJump ? { host: form.jumpHost.trim(), port: Number(form.jumpPort), user: form.jumpUser.trim() } : undefined

export function credentialsOf(form: MachineForm): AddArg['credentials'] {
  return {
    ...(form.auth === 'agent' ? { useAgent: true } : {}),
    ...(form.auth === 'key' ? { keyFile: form.keyFile.trim(), ...(form.passphrase ? { passphrase: form.passphrase } : {}) } : {}),
    ...(form.auth === 'password' ? { password: form.password } : {}),
    ...(form.sudoPassword ? { sudoPassword: form.sudoPassword } : {}),
  }
}

export function addArg(form: MachineForm, hostKey: string, jumpKey: string | undefined): AddArg {
  const jump = jumpOf(form)
  const labels = parseLabels(form.labels) ?? {}
  return {
    name: nodeName(form),
    ...hopOf(form),
    hostKey,
    ...(jump && jumpKey ? { jump: { ...jump, hostKey: jumpKey } } : {}),
    ...(form.nodeIP ? { nodeIP: form.nodeIP.trim() } : {}),
    installRuntime: form.installRuntime,
    ...(Object.keys(labels).length ? { labels } : {}),
    credentials: credentialsOf(form),
  }
}

/** Which field an error is about, where it is about one. */
export function fieldOf(code: string, form: MachineForm): keyof MachineForm | null {
  switch (code) {
    case 'SSH_HOST_UNKNOWN':
    case 'SSH_UNREACHABLE':
      return 'host'
    case 'SSH_AUTH_FAILED':
      return form.auth === 'password' ? 'password' : form.auth === 'key' ? 'keyFile' : 'user'
    case 'SSH_KEY_UNUSABLE':
      return 'keyFile'
    case 'NO_SUDO':
      return 'sudoPassword'
    case 'MACHINE_CONFLICT':
      return 'name'
    default:
      return null
  }
}
