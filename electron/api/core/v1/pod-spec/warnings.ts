/** What is allowed in a pod or template but is surely not meant. Source: kubernetes `api/pod/warnings.go`, `api/node/util.go`. */
import type { ObjectMeta } from '../../../meta/v1/object.ts'
import { goQuote } from '../../../values/field-error.ts'
import { toMilli, tryQuantity } from '../../../values/quantity.ts'
import type { Affinity, ContainerPort, NodeSelectorTerm, PodSpec, PodTemplateSpec, Volume } from '../types.gen.ts'
import { APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD } from './annotations.ts'
import { containersOf, type AnyContainer } from './visit.ts'

const NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}

const ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}

const SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
const NULL_SELECTOR = 'a null labelSelector results in matching no pod'

const VOLUMES: readonly [source: keyof Volume, field: string, text: string][] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

/** `at` is the path of the template with a dot behind it: "spec.template."; it is empty for a pod. */
export function podWarnings(spec: PodSpec, metadata: Pick<ObjectMeta, 'annotations'>, at = ''): string[] {
  const annotations = metadata.annotations ?? {}
  const out: string[] = [...schedulingWarnings(spec, at)]
  for (const [key, text] of Object.entries(ANNOTATIONS)) if (key in annotations) out.push(`${at}metadata.annotations[${key}]: ${text}`)
  out.push(...volumeWarnings(spec.volumes ?? [], `${at}spec.volumes`))
  out.push(...repeated(spec.hostAliases ?? [], ({ ip }) => ip, 'ip', `${at}spec.hostAliases`))
  out.push(...repeated(spec.imagePullSecrets ?? [], ({ name }) => name ?? '', 'name', `${at}spec.imagePullSecrets`))
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    if (!name) out.push(`${at}spec.imagePullSecrets[${i}].name: invalid empty name ""`)
  })
  out.push(...fractions(spec.overhead, `${at}spec.overhead`))
  if (!spec.securityContext?.seccompProfile && SECCOMP_POD in annotations) {
    out.push(`${at}metadata.annotations[${SECCOMP_POD}]: ${SECCOMP}`)
  }
  for (const { container, field } of containersOf(spec, `${at}spec`)) {
    const seccomp = `${SECCOMP_CONTAINER}${container.name}`
    if (!container.securityContext?.seccompProfile && seccomp in annotations) out.push(`${at}metadata.annotations[${seccomp}]: ${SECCOMP}`)
    const armor = `${APP_ARMOR}${container.name}`
    const profile = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
    if (at && !profile && armor in annotations) {
      out.push(`${at}metadata.annotations[${armor}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
    }
    out.push(...containerWarnings(container, field))
  }
  out.push(...portWarnings(spec, `${at}spec`))
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    out.push(`${at}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`)
  }
  return [...out, ...affinityWarnings(spec.affinity, `${at}spec.affinity`)]
}

interface Versioned {
  readonly metadata: Pick<ObjectMeta, 'generation'>
}

/** Of what makes pods from a template, when it is made and when its spec changes. `at` is the path of the template. */
export function templateWarnings(object: Versioned, old: Versioned | null, template: PodTemplateSpec, at = 'spec.template'): string[] {
  if (old && object.metadata.generation === old.metadata.generation) return []
  return podWarnings(template.spec, template.metadata, `${at}.`)
}

function schedulingWarnings(spec: PodSpec, at: string): string[] {
  const out: string[] = []
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    if (NODE_LABELS[key]) out.push(`${at}spec.nodeSelector[${key}]: ${NODE_LABELS[key]}`)
  }
  const affinity = spec.affinity?.nodeAffinity
  const field = `${at}spec.affinity.nodeAffinity`
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.forEach((term, i) =>
    out.push(...termWarnings(term, `${field}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`)),
  )
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ preference }, i) =>
    out.push(...termWarnings(preference, `${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`)),
  )
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const own = `${at}spec.topologySpreadConstraints[${i}]`
    if (NODE_LABELS[topologyKey]) out.push(`${own}.topologyKey: ${topologyKey} is ${NODE_LABELS[topologyKey]}`)
    if (!labelSelector) out.push(`${own}.labelSelector: ${NULL_SELECTOR}`)
  })
  return out
}

/** Labels of nodes that have newer names. */
export function termWarnings({ matchExpressions }: NodeSelectorTerm, field: string): string[] {
  return (matchExpressions ?? []).flatMap(({ key }, i) =>
    NODE_LABELS[key] ? [`${field}.matchExpressions[${i}].key: ${key} is ${NODE_LABELS[key]}`] : [],
  )
}

function affinityWarnings(affinity: Affinity | undefined, field: string): string[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((which) => {
    const at = `${field}.${which}`
    const required = affinity?.[which]?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    const preferred = affinity?.[which]?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return [
      ...required.flatMap(({ labelSelector }, i) =>
        labelSelector ? [] : [`${at}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: ${NULL_SELECTOR}`],
      ),
      ...preferred.flatMap(({ podAffinityTerm }, i) =>
        podAffinityTerm.labelSelector
          ? []
          : [`${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector: ${NULL_SELECTOR}`],
      ),
    ]
  })
}

function volumeWarnings(volumes: readonly Volume[], field: string): string[] {
  const out: string[] = []
  volumes.forEach((volume, i) => {
    for (const [source, name, text] of VOLUMES) if (volume[source]) out.push(`${field}[${i}].${name}: ${text}`)
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec
    if (claim) out.push(...claimWarnings(claim, `${field}[${i}].ephemeral.volumeClaimTemplate.spec`))
  })
  const tokens = new Set(
    volumes.flatMap(({ projected }) =>
      (projected?.sources ?? []).flatMap(({ serviceAccountToken }) => (serviceAccountToken ? [serviceAccountToken.path] : [])),
    ),
  )
  const hidden = (path: string | undefined, where: string) => {
    if (path !== undefined && tokens.has(path)) out.push(`${where}: has duplicated path with ServiceAccountToken ${goQuote(path)}`)
  }
  volumes.forEach(({ projected }, i) => {
    const at = `${field}[${i}].projected.sources`
    for (const { configMap, secret, downwardAPI, clusterTrustBundle } of projected?.sources ?? []) {
      configMap?.items?.forEach(({ path }, j) => hidden(path, `${at}.configMap[${j}]`))
      secret?.items?.forEach(({ path }, j) => hidden(path, `${at}.secrets[${j}]`))
      downwardAPI?.items?.forEach(({ path }, j) => hidden(path, `${at}.downwardAPI[${j}]`))
      hidden(clusterTrustBundle?.path, `${at}.ClusterTrustBundle`)
    }
  })
  return out
}

/** Of claims by themselves and in templates: parts of a byte. */
export function claimWarnings({ resources }: { resources?: { limits?: Quantities; requests?: Quantities } }, field: string): string[] {
  return (['requests', 'limits'] as const).flatMap((list) => fractions(resources?.[list], `${field}.resources.${list}`, ['storage']))
}

type Quantities = Readonly<Record<string, string>>

function fractions(list: Quantities | undefined, field: string, names: readonly string[] = ['memory', 'ephemeral-storage']): string[] {
  return names.flatMap((name) => {
    const text = list?.[name]
    if (text === undefined || !tryQuantity(text) || toMilli(text) % 1000 === 0) return []
    return [`${field}[${name}]: fractional byte value ${goQuote(text)} is invalid, must be an integer`]
  })
}

function repeated<T>(list: readonly T[], keyOf: (item: T) => string, name: string, field: string): string[] {
  const seen = new Set<string>()
  return list.flatMap((item, i) => {
    const key = keyOf(item)
    if (seen.has(key)) return [`${field}[${i}].${name}: duplicate ${name} ${goQuote(key)}`]
    seen.add(key)
    return []
  })
}

function containerWarnings({ resources, env }: AnyContainer, field: string): string[] {
  const lists = [
    ['limits', 'memory'],
    ['requests', 'memory'],
    ['limits', 'ephemeral-storage'],
    ['requests', 'ephemeral-storage'],
  ] as const
  const out = lists.flatMap(([list, name]) => fractions(resources?.[list], `${field}.resources.${list}`, [name]))
  const seen = new Set<string>()
  env?.forEach(({ name, value = '', valueFrom }, i) => {
    const reference = `$(${name})`
    const builds = !valueFrom && value !== reference && value.includes(reference)
    if (seen.has(name) && !builds) {
      out.push(`${field}.env[${i}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`)
    }
    seen.add(name)
  })
  return out
}

function portWarnings(spec: PodSpec, field: string): string[] {
  const out: string[] = []
  const seen = new Map<string, { at: string; port: ContainerPort }[]>()
  for (const { container, field: own } of containersOf(spec, field)) {
    container.ports?.forEach((port, i) => {
      const at = `${own}.ports[${i}]`
      if (port.hostIP && !port.hostPort) out.push(`${at}: hostIP set without hostPort: ${goPort(port)}`)
      const key = `${port.containerPort}/${port.protocol}`
      const others = seen.get(key) ?? []
      for (const other of others) {
        const how = clash(port, other.port)
        if (how) out.push(`${at}: ${how} port definition with ${other.at}`)
      }
      seen.set(key, [...others, { at, port }])
    })
  }
  return out
}

function clash(a: ContainerPort, b: ContainerPort): string {
  const [hostPort, other] = [a.hostPort ?? 0, b.hostPort ?? 0]
  const [ip, otherIp] = [a.hostIP ?? '', b.hostIP ?? '']
  if (ip === otherIp && hostPort === other) return 'duplicate'
  if (hostPort === 0 || other === 0) return 'overlapping'
  return hostPort === other && (ip === '') !== (otherIp === '') ? 'dangerously ambiguous' : ''
}

const goPort = ({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: ContainerPort) =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`
