import { apiVersionOf, type Kind } from '../api/kind.ts'
import type { KubeList, KubeObject } from '../api/meta/v1/object.ts'
import { internal, StatusError, type Status } from '../machinery/status.ts'
import type { WatchEvent } from '../machinery/watch-event.ts'
import { deepFreeze } from './freeze.ts'

/** What a server sent, as an object of this kind (or of the kind that a subresource answers with), frozen. */
export function decodeObject<T extends KubeObject>(kind: Kind<T>, value: unknown): T {
  return deepFreeze(typed(kind, value))
}

export function decodeList<T extends KubeObject>(kind: Kind<T>, value: unknown): KubeList<T> {
  const { metadata = {}, items } = value as Partial<KubeList<T>>
  return deepFreeze({
    apiVersion: apiVersionOf(kind),
    kind: `${kind.kind}List`,
    metadata,
    items: (items ?? []).map((item) => typed(kind, item)),
  })
}

/** One line of a watch. Throws StatusError if it is the server's word that the watch is over. */
export function decodeEvent<T extends KubeObject>(kind: Kind<T>, line: string): WatchEvent<T> {
  let event: { type?: unknown; object?: unknown }
  try {
    event = JSON.parse(line) as typeof event
  } catch (error) {
    throw internal(new Error('a watch sent a line that is not JSON', { cause: error }))
  }
  const { type, object } = event
  if (type === 'ERROR') throw new StatusError(object as Status)
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK')
    return { type, object: type === 'BOOKMARK' ? deepFreeze(object as T) : decodeObject(kind, object) }
  throw internal(new Error(`a watch sent an event of unknown type ${JSON.stringify(type)}`))
}

/** List items may come without their type. */
function typed<T extends KubeObject>(kind: Kind<T>, value: unknown): T {
  const object = value as T
  return object.kind ? object : { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind }
}
