/** Whether this node takes a pod. Source: kubernetes `kubelet/lifecycle/predicate.go`, `kubelet/allocation`. */
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from '../../../api/core/v1/types.gen.ts'
import { podRequests, qosClass } from '../../../api/core/v1/pod-resources.ts'
import { addQuantity, compareQuantity, formatQuantity, toMilli, toUnits } from '../../../api/values/quantity.ts'
import { isCritical } from '../eviction/rank.ts'
import type { Pressure } from '../node/pressure.ts'

export interface Rejection {
  readonly reason: string
  readonly message: string
}

export interface AdmissionInput {
  readonly nodeName: string
  /** null while it has never been seen: nothing is known of its labels and taints. */
  readonly node: () => Node | null
  readonly allocatable: () => Readonly<Record<string, string>>
  /** Unsafe ones that are allowed here. */
  readonly sysctls: ReadonlySet<string>
  /** Whether the node runs short of this. */
  readonly holds: (pressure: Pressure) => boolean
}

export interface Admission {
  /** null: the pod is taken. `active` are the pods that hold resources already. */
  admit(pod: Pod, active: readonly Pod[]): Rejection | null
  /** The same for what a running pod asks for anew. `Infeasible` never fits this node, `Deferred` not now. */
  resize(pod: Pod, others: readonly Pod[]): (Rejection & { readonly reason: 'Infeasible' | 'Deferred' }) | null
}

/** Namespaced and without effect on others. Source: Kubernetes documentation, "safe sysctls". */
const SAFE_SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
])

export function createAdmission({ nodeName, node, allocatable, sysctls, holds }: AdmissionInput): Admission {
  return {
    admit(pod, active) {
      return (
        checkOs(pod) ??
        checkPressure(pod, holds) ??
        checkSysctls(pod, sysctls) ??
        checkResources(pod, active, allocatable()) ??
        checkName(pod, nodeName) ??
        checkAffinity(pod, node()) ??
        checkPorts(pod, active) ??
        checkTaints(pod, node())
      )
    },
    resize(pod, others) {
      const capacity = allocatable()
      const requests = podRequests(pod.spec)
      for (const name of ['cpu', 'memory']) {
        const asked = requests[name] ?? '0'
        if (compareQuantity(asked, capacity[name] ?? '0') > 0) {
          const message = `Node didn't have enough capacity: ${name}, requested: ${count(name, asked)}, capacity: ${count(name, capacity[name] ?? '0')}`
          return { reason: 'Infeasible', message }
        }
      }
      const short = checkResources(pod, others, capacity)
      return short ? { reason: 'Deferred', message: short.message } : null
    },
  }
}

function checkResources(pod: Pod, active: readonly Pod[], capacity: Readonly<Record<string, string>>): Rejection | null {
  const others = active.filter(({ metadata }) => metadata.uid !== pod.metadata.uid)
  if (capacity['pods'] !== undefined && others.length + 1 > toUnits(capacity['pods']))
    return tooFew('pods', '1', String(others.length), capacity['pods'])
  for (const [name, asked] of Object.entries(podRequests(pod.spec))) {
    if (compareQuantity(asked, '0') === 0) continue
    const used = others.reduce((sum, { spec }) => formatQuantity(addQuantity(sum, podRequests(spec)[name] ?? '0')), '0')
    if (compareQuantity(addQuantity(used, asked), capacity[name] ?? '0') > 0) return tooFew(name, asked, used, capacity[name] ?? '0')
  }
  return null
}

function tooFew(name: string, asked: string, used: string, capacity: string): Rejection {
  const [a, u, c] = [asked, used, capacity].map((quantity) => count(name, quantity))
  return { reason: `OutOf${name}`, message: `Node didn't have enough resource: ${name}, requested: ${a}, used: ${u}, capacity: ${c}` }
}

/** Cores are told in thousandths. */
function count(name: string, quantity: string): number {
  return name === 'cpu' ? toMilli(quantity) : toUnits(quantity)
}

function checkOs({ spec }: Pod): Rejection | null {
  if (spec.os && spec.os.name !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  }
  return null
}

/** A node in need takes no more; what asks for nothing is the first that it cannot keep. */
function checkPressure(pod: Pod, holds: (pressure: Pressure) => boolean): Rejection | null {
  if (isCritical(pod)) return null
  const held: [Pressure, string][] = [
    ['memory', 'MemoryPressure'],
    ['disk', 'DiskPressure'],
    ['pid', 'PIDPressure'],
  ]
  const found = held.filter(([pressure]) => holds(pressure)).map(([, name]) => name)
  if (!found.length) return null
  const tolerates = (pod.spec.tolerations ?? []).some(({ key }) => key === 'node.kubernetes.io/memory-pressure')
  if (found.join() === 'MemoryPressure' && (qosClass(pod) !== 'BestEffort' || tolerates)) return null
  return { reason: 'Evicted', message: `The node had condition: [${found.join(' ')}]. ` }
}

function checkSysctls({ spec }: Pod, allowed: ReadonlySet<string>): Rejection | null {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const plain = name.replaceAll('/', '.')
    if (!SAFE_SYSCTLS.has(plain) && !allowed.has(plain))
      return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowlisted` }
    const onHost = plain.startsWith('net.') ? spec.hostNetwork : spec.hostIPC
    if (onHost) {
      const what = plain.startsWith('net.') ? 'host net' : 'host IPC'
      return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowed with ${what} enabled` }
    }
  }
  return null
}

function checkName({ spec }: Pod, nodeName: string): Rejection | null {
  if (spec.nodeName === undefined || spec.nodeName === nodeName) return null
  return { reason: 'NodeName', message: "Predicate NodeName failed: node(s) didn't match the requested node name" }
}

function checkAffinity({ spec }: Pod, node: Node | null): Rejection | null {
  if (!node) return null
  const labels = node.metadata.labels ?? {}
  const selected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (selected && (!terms || terms.some((term) => matchesTerm(term, node)))) return null
  return { reason: 'NodeAffinity', message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" }
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  if (!matchExpressions.length && !matchFields.length) return false
  const label = (key: string) => metadata.labels?.[key]
  const field = (key: string) => (key === 'metadata.name' ? metadata.name : undefined)
  return matchExpressions.every((r) => matches(r, label(r.key))) && matchFields.every((r) => matches(r, field(r.key)))
}

function matches({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
  }
}

function checkPorts(pod: Pod, active: readonly Pod[]): Rejection | null {
  const wanted = hostPorts(pod)
  if (!wanted.length) return null
  const taken = active.filter(({ metadata }) => metadata.uid !== pod.metadata.uid).flatMap(hostPorts)
  const clash = wanted.some((w) =>
    taken.some((t) => t.port === w.port && t.protocol === w.protocol && (t.ip === w.ip || t.ip === ANY || w.ip === ANY)),
  )
  if (!clash) return null
  return { reason: 'NodePorts', message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports" }
}

const ANY = '0.0.0.0'

function hostPorts({ spec }: Pod) {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort, hostIP, protocol }) => ({ port: hostPort, protocol, ip: hostIP || ANY })),
  )
}

function checkTaints({ spec }: Pod, node: Node | null): Rejection | null {
  const taint = (node?.spec.taints ?? []).find(
    (t) => t.effect === 'NoExecute' && !(spec.tolerations ?? []).some((toleration) => tolerates(toleration, t)),
  )
  if (!taint) return null
  return { reason: 'TaintToleration', message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate" }
}

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key ? key !== taint.key : operator !== 'Exists') return false
  return operator === 'Exists' || value === (taint.value ?? '')
}
