/**
 * Deletes what nobody owns any more, and carries out deletions in the foreground and those that leave orphans. Source: kubernetes
 * `pkg/controller/garbagecollector`.
 */
import { event as eventKind } from '../../api/core/v1/event.ts'
import { KINDS } from '../../api/kinds.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import { mapLimit } from '../../base/async.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { defineController, watch, type Outcome } from '../runtime/controller.ts'
import { applyChange } from './changes.ts'
import { watchCustomResources } from './custom-kinds.ts'
import { FOREGROUND, ORPHAN, OwnerGraph, type Vertex } from './owner-graph.ts'
import { createOwnerLookup } from './references.ts'
import { deleteJudged, disown, dropFinalizer, propagationOf, readLive, setOwners } from './writes.ts'

/** Of owners that nobody watches, or that cannot be found out about, it is asked again so often. */
const ASK_AGAIN = 5 * 60_000
const DISOWNED_AT_ONCE = 5
const GONE_KNOWN = 10_000

export const garbageCollectorController = defineController({
  name: 'garbage-collector-controller',
  workers: 20,
  create({ client, clock, informers, events, queue }) {
    const watched = KINDS.filter(isCollected)
    const graph = new OwnerGraph()
    const gone = new Set<string>()
    const lookup = createOwnerLookup({ client, clock, graph, watched, gone })

    return {
      watches: [
        ...watched.map((kind) => watch(informers.for(kind), (change) => applyChange(graph, kind, change))),
        watchCustomResources(informers, (kind, change) => {
          if (change.type === 'delete') noteGone(gone, change.object.metadata.uid)
          return applyChange(graph, kind, change)
        }),
      ],
      async reconcile(uid) {
        const vertex = graph.get(uid)
        if (!vertex) return undefined
        if (vertex.orphansDependents) return orphan(vertex)
        if (vertex.isDeleting) return vertex.awaitsDependents ? awaitDependents(vertex) : undefined
        return graph.isInDoubt(vertex) ? judge(vertex) : undefined
      },
    }

    async function judge(vertex: Vertex): Promise<Outcome> {
      const live = await readLive(client, vertex)
      if (!live || isBeingDeleted(live)) return undefined
      const references = live.metadata.ownerReferences ?? []
      if (references.length === 0) return undefined
      const { solid, waiting, absent, unknown, unwatched } = await lookup.classify(vertex, references)
      warnOfPlaces(live, vertex, [...absent, ...unknown])
      if (solid.length + unknown.length > 0) {
        const gone = new Set([...waiting, ...absent])
        if (gone.size > 0)
          await setOwners(
            client,
            vertex,
            live,
            references.filter((reference) => !gone.has(reference)),
          )
        return unwatched || unknown.length > 0 ? { requeueAfter: ASK_AGAIN } : undefined
      }
      const dependents = graph.dependentsOf(vertex.uid)
      if (waiting.length === 0 || dependents.length === 0) {
        await deleteJudged(client, vertex, live, propagationOf(live))
        return undefined
      }
      const isInCircle = dependents.some(({ awaitsDependents }) => awaitsDependents)
      const judged = isInCircle ? await unblock(vertex, live, references) : live
      if (judged) await deleteJudged(client, vertex, judged, 'Foreground')
      return undefined
    }

    /** Its owners no longer wait for it: where they also are its dependents, each would wait for the other. */
    async function unblock(vertex: Vertex, live: KubeObject, references: readonly OwnerReference[]): Promise<KubeObject | null> {
      if (!references.some(({ blockOwnerDeletion }) => blockOwnerDeletion)) return live
      return setOwners(
        client,
        vertex,
        live,
        references.map((reference) => ({ ...reference, blockOwnerDeletion: false })),
      )
    }

    async function awaitDependents(vertex: Vertex): Promise<Outcome> {
      const blocking = graph.blocking(vertex.uid)
      for (const dependent of blocking) if (!dependent.isDeleting) queue.add(dependent.uid)
      if (blocking.length > 0) return undefined
      const live = await readLive(client, vertex)
      if (live) await dropFinalizer(client, vertex, live, FOREGROUND)
      return undefined
    }

    async function orphan(vertex: Vertex): Promise<Outcome> {
      const live = await readLive(client, vertex)
      if (!live) return undefined
      await mapLimit(graph.dependentsOf(vertex.uid), DISOWNED_AT_ONCE, (dependent) => disown(client, dependent, live))
      await dropFinalizer(client, vertex, live, ORPHAN)
      return undefined
    }

    /** An owner in another namespace is none, which its author may not know. */
    function warnOfPlaces(live: KubeObject, vertex: Vertex, references: readonly OwnerReference[]): void {
      for (const { apiVersion, kind, name, uid } of references) {
        const owner = graph.get(uid)
        if (!owner?.kind.namespaced || owner.namespace === vertex.namespace) continue
        const reference = `ownerRef [${apiVersion}/${kind}, namespace: ${vertex.namespace ?? ''}, name: ${name}, uid: ${uid}]`
        const where = vertex.namespace ? `does not exist in namespace "${vertex.namespace}"` : 'is namespaced, and its dependent is not'
        events.event(live, 'Warning', 'OwnerRefInvalidNamespace', `${reference} ${where}`)
      }
    }
  },
})

function noteGone(gone: Set<string>, uid: string): void {
  gone.add(uid)
  for (const oldest of gone) if (gone.size > GONE_KNOWN) gone.delete(oldest)
}

/** Events come and go by themselves, and nothing depends on them. */
function isCollected({ kind, verbs, storedAs }: AnyKind): boolean {
  return kind !== eventKind.kind && !storedAs && (['list', 'watch', 'delete'] as const).every((verb) => verbs.includes(verb))
}
