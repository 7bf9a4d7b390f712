/** What the API server serves, from aggregated discovery where it can, else group by group. */
import type { Face } from '../face/face.ts'
import { StatusFailure } from '../face/failure.ts'
import { send } from './api.ts'
import type { Resource } from './resources.ts'

export interface ServedKind extends Resource {
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  /** "status", "scale", … */
  readonly subresources: readonly string[]
}

interface AggregatedList {
  readonly kind?: string
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string }
    readonly versions?: readonly { readonly version: string; readonly resources?: readonly AggregatedResource[] }[]
  }[]
}
interface AggregatedResource {
  readonly resource: string
  readonly responseKind?: { readonly kind?: string }
  readonly scope?: string
  readonly verbs?: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly subresources?: readonly { readonly subresource: string }[]
}
interface ResourceList {
  readonly resources?: readonly {
    readonly name: string
    readonly kind: string
    readonly namespaced: boolean
    readonly verbs: readonly string[]
    readonly shortNames?: readonly string[]
    readonly categories?: readonly string[]
  }[]
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

/** Every kind that can be listed, each in its preferred version. */
export async function discover(face: Face, signal?: AbortSignal): Promise<ServedKind[]> {
  const parts = await Promise.all([discoverRoot(face, '/api', signal), discoverRoot(face, '/apis', signal)])
  const kinds = parts.flat().filter((k) => k.verbs.includes('list'))
  return kinds.toSorted((a, b) => a.kind.localeCompare(b.kind) || a.group.localeCompare(b.group))
}

async function discoverRoot(face: Face, path: '/api' | '/apis', signal?: AbortSignal): Promise<ServedKind[]> {
  const { body } = await send<AggregatedList & Parameters<typeof fromGroups>[1]>(face, { method: 'GET', path, accept: AGGREGATED }, signal)
  return body.kind === 'APIGroupDiscoveryList' ? fromAggregated(body) : fromGroups(face, body, signal)
}

function fromAggregated(list: AggregatedList): ServedKind[] {
  const kinds = new Map<string, ServedKind>()
  for (const item of list.items ?? []) {
    const group = item.metadata?.name ?? ''
    for (const { version, resources } of item.versions ?? []) {
      for (const r of resources ?? []) {
        const key = `${group}/${r.resource}`
        if (kinds.has(key)) continue
        kinds.set(key, {
          group,
          version,
          resource: r.resource,
          kind: r.responseKind?.kind ?? r.resource,
          namespaced: r.scope === 'Namespaced',
          verbs: r.verbs ?? [],
          shortNames: r.shortNames ?? [],
          categories: r.categories ?? [],
          subresources: (r.subresources ?? []).map((s) => s.subresource),
        })
      }
    }
  }
  return [...kinds.values()]
}

async function fromGroups(
  face: Face,
  root: { versions?: readonly string[]; groups?: readonly { name: string; preferredVersion?: { version: string } }[] },
  signal?: AbortSignal,
): Promise<ServedKind[]> {
  const wanted = [
    ...(root.versions ?? []).slice(0, 1).map((version) => ({ group: '', version, path: `/api/${version}` })),
    ...(root.groups ?? []).flatMap(({ name, preferredVersion }) =>
      preferredVersion ? [{ group: name, version: preferredVersion.version, path: `/apis/${name}/${preferredVersion.version}` }] : [],
    ),
  ]
  const lists = await Promise.all(wanted.map(async (at) => ({ ...at, list: await resourceList(face, at.path, signal) })))
  return lists.flatMap(({ group, version, list }) => {
    const all = list.resources ?? []
    const parents = all.filter((r) => !r.name.includes('/'))
    return parents.map((r) => ({
      group,
      version,
      resource: r.name,
      kind: r.kind,
      namespaced: r.namespaced,
      verbs: r.verbs,
      shortNames: r.shortNames ?? [],
      categories: r.categories ?? [],
      subresources: all.filter((s) => s.name.startsWith(`${r.name}/`)).map((s) => s.name.slice(r.name.length + 1)),
    }))
  })
}

/** A group whose server is away hides its own kinds only. */
async function resourceList(face: Face, path: string, signal?: AbortSignal): Promise<ResourceList> {
  try {
    return (await send<ResourceList>(face, { method: 'GET', path }, signal)).body
  } catch (error) {
    if (error instanceof StatusFailure) return {}
    throw error
  }
}
