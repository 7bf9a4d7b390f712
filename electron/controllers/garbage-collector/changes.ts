/** What a change of an object means for its owners and dependents. Source: kubernetes `garbagecollector/graph_builder.go`. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import type { Change } from '../runtime/controller.ts'
import { vertexOf, type OwnerGraph, type Vertex } from './owner-graph.ts'

/** Brings the graph up to date; the result are the uids of those whose fate is to be looked at. */
export function applyChange(graph: OwnerGraph, kind: AnyKind, change: Change<KubeObject>): Iterable<string> {
  const { type, object, old } = change
  if (type === 'delete') return removed(graph, object.metadata.uid)
  const isAnother = old && old.metadata.uid !== object.metadata.uid
  const affected = isAnother ? removed(graph, old.metadata.uid) : []
  return new Set([...affected, ...arrived(graph, vertexOf(kind, object))])
}

function removed(graph: OwnerGraph, uid: string): readonly string[] {
  const vertex = graph.get(uid)
  graph.remove(uid)
  const owners = vertex?.owners.filter((owner) => graph.get(owner.uid)?.awaitsDependents) ?? []
  return [...graph.dependentsOf(uid), ...owners].map((each) => each.uid)
}

function arrived(graph: OwnerGraph, vertex: Vertex): readonly string[] {
  const before = graph.get(vertex.uid)
  graph.set(vertex)
  const affected: string[] = []
  const ownersChanged = !semanticEqual(before?.owners, vertex.owners)
  if (ownersChanged) {
    if (graph.isInDoubt(vertex)) affected.push(vertex.uid)
    for (const { uid } of before?.owners ?? []) if (graph.get(uid)?.awaitsDependents) affected.push(uid)
  }
  if (vertex.orphansDependents && !before?.orphansDependents) affected.push(vertex.uid)
  if (vertex.awaitsDependents && !before?.awaitsDependents) {
    affected.push(vertex.uid, ...graph.dependentsOf(vertex.uid).map(({ uid }) => uid))
  }
  return affected
}
