/** The level that forbids known ways from a container to its node. Source: k8s.io/pod-security-admission `policy`. */
import type { LifecycleHandler, SELinuxOptions } from '../../../api/core/v1/types.gen.ts'
import { goQuote } from '../../../api/values/field-error.ts'
import {
  containersWhere,
  distinct,
  named,
  plural,
  quoted,
  setters,
  settings,
  unlessOwnUsers,
  type Check,
  type Judgeable,
  type JudgeableContainer,
  type Rule,
} from './check.ts'
import { seccompOfAnnotations, seccompOfFields } from './seccomp.ts'

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/'
const CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]
const SYSCTLS_1_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports']
const SYSCTLS_1_29 = [
  ...SYSCTLS_1_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const SYSCTLS_1_32 = [...SYSCTLS_1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

const appArmor: Rule = (pod) => {
  const allowed = (type: string) => type === 'RuntimeDefault' || type === 'Localhost'
  const bad = distinct(settings(pod, ({ appArmorProfile }) => appArmorProfile?.type).filter((type) => !allowed(type)))
  const who = setters(pod, ({ appArmorProfile }) => appArmorProfile !== undefined && !allowed(appArmorProfile.type))
  const annotations = Object.entries(pod.annotations)
    .filter(([key]) => key.startsWith(APPARMOR_ANNOTATION))
    .filter(([, value]) => value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .sort()
  if (who === '' && annotations.length === 0) return null
  const all = [...bad, ...annotations]
  const where = [...(who ? [who] : []), ...(annotations.length > 0 ? [plural('annotation', annotations.length)] : [])].join(' and ')
  return {
    reason: plural('forbidden AppArmor profile', all.length),
    detail: `${where} must not set AppArmor profile type to ${quoted(all)}`,
  }
}

const capabilities: Rule = (pod) => {
  const bad = ({ securityContext }: JudgeableContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((one) => !CAPABILITIES.has(one))
  const names = containersWhere(pod, (container) => bad(container).length > 0)
  if (names.length === 0) return null
  const added = quoted(distinct(pod.containers.flatMap(bad)))
  const detail = `${named('container', names)} must not include ${added} in securityContext.capabilities.add`
  return { reason: 'non-default capabilities', detail }
}

const hostNamespaces: Rule = ({ spec }) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
  return shared.length > 0 ? { reason: 'host namespaces', detail: shared.map((field) => `${field}=true`).join(', ') } : null
}

const hostPathVolumes: Rule = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
  return names.length > 0 ? { reason: 'hostPath volumes', detail: named('volume', names) } : null
}

const hostPorts: Rule = (pod) => {
  const portsOf = ({ ports = [] }: JudgeableContainer) => ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []))
  const names = containersWhere(pod, (container) => portsOf(container).length > 0)
  if (names.length === 0) return null
  const ports = distinct(pod.containers.flatMap(portsOf))
  return { reason: 'hostPort', detail: `${uses('container', names)} ${plural('hostPort', ports.length)} ${ports.join(', ')}` }
}

const hostsOfHandlers: Rule = (pod) => {
  const hostsOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: JudgeableContainer) =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(hostsAsked)
  const names = distinct(containersWhere(pod, (container) => hostsOf(container).length > 0))
  if (names.length === 0) return null
  const hosts = distinct(pod.containers.flatMap(hostsOf))
  const what = 'probe or lifecycle host'
  return { reason: what, detail: `${uses('container', names)} ${named(what, hosts)}` }
}

function hostsAsked(handler: Pick<LifecycleHandler, 'httpGet' | 'tcpSocket'> | undefined): string[] {
  return [handler?.httpGet?.host, handler?.tcpSocket?.host].flatMap((host) => host || [])
}

const privileged: Rule = (pod) => {
  const names = containersWhere(pod, ({ securityContext }) => securityContext?.privileged)
  if (names.length === 0) return null
  return { reason: 'privileged', detail: `${named('container', names)} must not set securityContext.privileged=true` }
}

/** Of the level "restricted" too, where the baseline is milder. */
export const procMount: Rule = (pod) => {
  const bad = ({ securityContext }: JudgeableContainer) => {
    const type = securityContext?.procMount
    return type === undefined || type === 'Default' ? [] : [type]
  }
  const names = containersWhere(pod, (container) => bad(container).length > 0)
  if (names.length === 0) return null
  const types = quoted(distinct(pod.containers.flatMap(bad)))
  return { reason: 'procMount', detail: `${named('container', names)} must not set securityContext.procMount to ${types}` }
}

const seLinux =
  (types: readonly string[]): Rule =>
  (pod) => {
    const bad = ({ type = '', user, role }: SELinuxOptions) => !types.includes(type) || user || role
    const who = setters(pod, ({ seLinuxOptions }) => seLinuxOptions !== undefined && Boolean(bad(seLinuxOptions)))
    if (who === '') return null
    const all = settings(pod, ({ seLinuxOptions }) => seLinuxOptions)
    const badTypes = distinct(all.map(({ type = '' }) => type).filter((type) => !types.includes(type)))
    const what = [
      ...(badTypes.length > 0 ? [named('type', badTypes)] : []),
      ...(all.some(({ user }) => user) ? ['user may not be set'] : []),
      ...(all.some(({ role }) => role) ? ['role may not be set'] : []),
    ]
    return { reason: 'seLinuxOptions', detail: `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}` }
  }

const sysctls =
  (allowed: readonly string[]): Rule =>
  ({ spec }: Judgeable) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.includes(name))
    return names.length > 0 ? { reason: 'forbidden sysctls', detail: names.join(', ') } : null
  }

const windowsHostProcess: Rule = (pod) => {
  const who = setters(pod, ({ windowsOptions }) => windowsOptions?.hostProcess === true)
  return who ? { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` } : null
}

/** `container "a" uses`, `volumes "a", "b" use`. */
export function uses(word: string, names: readonly string[]): string {
  return `${named(word, names)} ${names.length === 1 ? 'uses' : 'use'}`
}

const always = (id: string, rule: Rule): Check => ({ id, level: 'baseline', versions: [{ since: 0, rule }] })

export const BASELINE: readonly Check[] = [
  always('appArmorProfile', appArmor),
  always('capabilities_baseline', capabilities),
  always('hostNamespaces', hostNamespaces),
  always('hostPathVolumes', hostPathVolumes),
  always('hostPorts', hostPorts),
  { id: 'hostProbesAndHostLifecycle', level: 'baseline', versions: [{ since: 34, rule: hostsOfHandlers }] },
  always('privileged', privileged),
  {
    id: 'procMount',
    level: 'baseline',
    versions: [
      { since: 0, rule: procMount },
      { since: 35, rule: unlessOwnUsers(procMount) },
    ],
  },
  {
    id: 'seLinuxOptions',
    level: 'baseline',
    versions: [
      { since: 0, rule: seLinux(SELINUX_TYPES) },
      { since: 31, rule: seLinux([...SELINUX_TYPES, 'container_engine_t']) },
    ],
  },
  {
    id: 'seccompProfile_baseline',
    level: 'baseline',
    versions: [
      { since: 0, rule: seccompOfAnnotations },
      { since: 19, rule: seccompOfFields },
    ],
  },
  {
    id: 'sysctls',
    level: 'baseline',
    versions: [
      { since: 0, rule: sysctls(SYSCTLS) },
      { since: 27, rule: sysctls(SYSCTLS_1_27) },
      { since: 29, rule: sysctls(SYSCTLS_1_29) },
      { since: 32, rule: sysctls(SYSCTLS_1_32) },
    ],
  },
  always('windowsHostProcess', windowsHostProcess),
]
