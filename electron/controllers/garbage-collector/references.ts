/** Whether the owners that an object names are there. Source: kubernetes `garbagecollector.go` classifyReferences. */
import { KINDS } from '../../api/kinds.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import { hasFinalizer, isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { discover } from '../namespace/discovery.ts'
import { groupOf } from '../runtime/watches.ts'
import { FOREGROUND, type OwnerGraph, type Vertex } from './owner-graph.ts'

export interface Owners {
  /** There. */
  readonly solid: readonly OwnerReference[]
  /** There, but only until its dependents are gone. */
  readonly waiting: readonly OwnerReference[]
  /** Not there, as the server itself said. */
  readonly absent: readonly OwnerReference[]
  /** Of a kind that nobody serves, or in a place where the object cannot have an owner: it is never taken to be absent. */
  readonly unknown: readonly OwnerReference[]
  /** Whether a solid one can go without anyone being told. */
  readonly unwatched: boolean
}

export interface OwnerLookup {
  classify(vertex: Vertex, references: readonly OwnerReference[]): Promise<Owners>
}

/** Uids never come back, so what was absent once stays so. */
const ABSENT_KNOWN = 500
/** What is served is asked for at most so often for the sake of kinds that are not known. */
const DISCOVERY_EVERY = 30_000

type State = 'solid' | 'waiting' | 'absent' | 'unknown'

export function createOwnerLookup(deps: {
  readonly client: Client
  readonly clock: Clock
  readonly graph: OwnerGraph
  /** Those whose coming and going the graph sees. */
  readonly watched: readonly AnyKind[]
  /** Uids of custom resources that were seen to go; their kinds may have gone with them. */
  readonly gone: ReadonlySet<string>
}): OwnerLookup {
  const { client, clock, graph } = deps
  const watched = byGroupKind(deps.watched)
  const builtIn = byGroupKind(KINDS)
  const absent = new Set<string>()
  let discovered = { kinds: new Map<string, AnyKind>(), at: Number.NEGATIVE_INFINITY }

  async function kindOf(reference: OwnerReference): Promise<AnyKind | undefined> {
    const key = `${groupOf(reference.apiVersion)}/${reference.kind}`
    const known = watched.get(key) ?? builtIn.get(key) ?? discovered.kinds.get(key)
    if (known || clock.monotonic() - discovered.at < DISCOVERY_EVERY) return known
    discovered = { kinds: byGroupKind((await discover(client)).kinds), at: clock.monotonic() }
    return discovered.kinds.get(key)
  }

  async function stateOf(vertex: Vertex, reference: OwnerReference): Promise<State> {
    if (deps.gone.has(reference.uid)) return 'absent'
    const kind = await kindOf(reference)
    if (!kind || !kind.verbs.includes('get') || (kind.namespaced && !vertex.namespace)) return 'unknown'
    const { uid, name } = reference
    const namespace = kind.namespaced ? vertex.namespace : undefined
    if (graph.ownerOf(vertex, reference)?.awaitsDependents === false) return 'solid'
    const key = JSON.stringify([kind.group, kind.resource, namespace, name, uid])
    if (absent.has(key)) return 'absent'
    try {
      const live = await client.get(kind, { name, namespace })
      if (live.metadata.uid === uid) return isBeingDeleted(live) && hasFinalizer(live, FOREGROUND) ? 'waiting' : 'solid'
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
    absent.add(key)
    for (const oldest of absent) if (absent.size > ABSENT_KNOWN) absent.delete(oldest)
    return 'absent'
  }

  return {
    async classify(vertex, references) {
      const found: Record<State, OwnerReference[]> = { solid: [], waiting: [], absent: [], unknown: [] }
      for (const reference of references) found[await stateOf(vertex, reference)].push(reference)
      const unwatched = found.solid.some(({ apiVersion, kind }) => !watched.has(`${groupOf(apiVersion)}/${kind}`))
      return { ...found, unwatched }
    },
  }
}

function byGroupKind(kinds: readonly AnyKind[]): Map<string, AnyKind> {
  return new Map(kinds.map((kind) => [`${kind.group}/${kind.kind}`, kind]))
}
