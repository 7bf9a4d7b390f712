/** What the server serves, in the forms that clients ask for. Sources: meta/v1 APIGroupList, APIResourceList; apidiscovery.k8s.io/v2. */
import { apiVersionOf, type AnyKind, type Subresource } from '../../api/kind.ts'

/** The order in which upstream lists its groups: a short name that several know is the first one's. Others follow by name. */
const GROUP_ORDER = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
]

export interface Group {
  readonly name: string
  /** The preferred one first. */
  readonly versions: readonly Version[]
}

export interface Version {
  readonly version: string
  /** By resource name. */
  readonly kinds: readonly AnyKind[]
  /** Another server has it and does not answer now: the kinds are those that it had. */
  readonly stale?: boolean
}

/** What another server has of a group. */
export interface RemoteVersion {
  readonly group: string
  readonly version: Version
}

export function groupsOf(kinds: Iterable<AnyKind>, remote: readonly RemoteVersion[] = []): Group[] {
  const groups = new Map<string, Map<string, AnyKind[]>>()
  for (const kind of kinds) {
    const versions = groups.get(kind.group) ?? new Map<string, AnyKind[]>()
    groups.set(kind.group, versions.set(kind.version, [...(versions.get(kind.version) ?? []), kind]))
  }
  const others = Map.groupBy(remote, ({ group }) => group)
  for (const [group, list] of others) {
    const versions = groups.get(group) ?? new Map<string, AnyKind[]>()
    for (const { version } of list) versions.set(version.version, [...version.kinds])
    groups.set(group, versions)
  }
  const isStale = (group: string, version: string) =>
    others.get(group)?.some((one) => one.version.version === version && one.version.stale) ?? false
  const rank = (name: string) => (GROUP_ORDER.includes(name) ? GROUP_ORDER.indexOf(name) : GROUP_ORDER.length)
  return [...groups]
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, list]) => ({
          version,
          kinds: list.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
          ...(isStale(name, version) ? { stale: true } : {}),
        })),
    }))
}

/** v2 before v1 before v1beta2 before v1alpha1 (apimachinery `version.CompareKubeAwareVersionStrings`). */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [rankOf(a), rankOf(b)]
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return (y[i] ?? 0) - (x[i] ?? 0)
  return a < b ? -1 : a > b ? 1 : 0
}

function rankOf(version: string): [known: number, stability: number, major: number, minor: number] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return [0, 0, 0, 0]
  const stability = match[2] === 'alpha' ? 1 : match[2] === 'beta' ? 2 : 3
  return [1, stability, Number(match[1]), Number(match[3] ?? 0)]
}

export function apiVersions(serverAddress: string) {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] }
}

export function apiGroupList(groups: readonly Group[]) {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((g) => g.name !== '').map(groupBody) }
}

export function apiGroup(group: Group) {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) }
}

function groupBody({ name, versions }: Group) {
  const all = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: all, preferredVersion: all[0] }
}

export function apiResourceList(group: string, version: Version) {
  return {
    kind: 'APIResourceList',
    ...(group ? { apiVersion: 'v1' } : {}),
    groupVersion: apiVersionOf({ group, version: version.version }),
    resources: version.kinds.flatMap((kind) => [
      resourceEntry(kind),
      ...subresources(kind).map(([name, part]) => partEntry(kind, name, part)),
    ]),
  }
}

function resourceEntry(kind: AnyKind) {
  return {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: [...kind.verbs].sort(),
    ...(kind.shortNames.length ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length ? { categories: kind.categories } : {}),
  }
}

function partEntry(kind: AnyKind, name: string, part: Subresource) {
  return {
    name: `${kind.resource}/${name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(part.version ? { group: part.group ?? '', version: part.version } : {}),
    kind: part.kind ?? kind.kind,
    verbs: [...part.verbs].sort(),
  }
}

export function groupDiscoveryList(groups: readonly Group[], apiVersion: string) {
  return { kind: 'APIGroupDiscoveryList', apiVersion, metadata: {}, items: groups.map(groupDiscovery) }
}

function groupDiscovery({ name, versions }: Group) {
  return {
    metadata: { ...(name ? { name } : {}), creationTimestamp: null },
    versions: versions.map(({ version, kinds, stale = false }) => ({
      version,
      resources: kinds.map(resourceDiscovery),
      freshness: stale ? 'Stale' : 'Current',
    })),
  }
}

function resourceDiscovery(kind: AnyKind) {
  const parts = subresources(kind)
  return {
    resource: kind.resource,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: [...kind.verbs].sort(),
    ...(kind.shortNames.length ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length ? { categories: kind.categories } : {}),
    ...(parts.length ? { subresources: parts.map(([name, part]) => partDiscovery(kind, name, part)) } : {}),
  }
}

function partDiscovery(kind: AnyKind, name: string, part: Subresource) {
  const { group = kind.group, version = kind.version } = part
  return { subresource: name, responseKind: { group, version, kind: part.kind ?? kind.kind }, verbs: [...part.verbs].sort() }
}

function subresources(kind: AnyKind): [string, Subresource][] {
  return Object.entries(kind.subresources).sort(([a], [b]) => (a < b ? -1 : 1))
}
