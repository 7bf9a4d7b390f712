import { apiVersionOf, type AnyKind, type Kind } from '../api/kind.ts'
import type { KubeList, KubeObject } from '../api/meta/v1/object.ts'
import { modelFacts } from '../api/schema/facts.ts'
import { Codecs, type Codec } from '../machinery/decode/codec.ts'
import { createTypes } from '../machinery/schema/build.ts'
import { internal, StatusError, type Status } from '../machinery/status.ts'
import type { WatchEvent } from '../machinery/watch-event.ts'
import { deepFreeze } from '../machinery/freeze.ts'

/** Makes objects of what a server sent: of the kind's schema, with its defaults, frozen. */
export class Decoder {
  readonly #types = createTypes(modelFacts)
  readonly #codecs = new Codecs()
  readonly #known = new Map<AnyKind, Codec<KubeObject> | null>()

  object<T extends KubeObject>(kind: Kind<T>, value: unknown): T {
    return deepFreeze(this.#typed(kind, value))
  }

  list<T extends KubeObject>(kind: Kind<T>, value: unknown): KubeList<T> {
    const { metadata = {}, items } = value as Partial<KubeList<T>>
    return deepFreeze({
      apiVersion: apiVersionOf(kind),
      kind: `${kind.kind}List`,
      metadata,
      items: (items ?? []).map((item) => this.#typed(kind, item)),
    })
  }

  /** One line of a watch. Throws StatusError if it is the server's word that the watch is over. */
  event<T extends KubeObject>(kind: Kind<T>, line: string): WatchEvent<T> {
    let event: { type?: unknown; object?: unknown }
    try {
      event = JSON.parse(line) as typeof event
    } catch (error) {
      throw internal(new Error('a watch sent a line that is not JSON', { cause: error }))
    }
    const { type, object } = event
    if (type === 'ERROR') throw new StatusError(object as Status)
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object: this.object(kind, object) }
    if (type === 'BOOKMARK') return { type, object: deepFreeze(object as T) }
    throw internal(new Error(`a watch sent an event of unknown type ${JSON.stringify(type)}`))
  }

  /** List items may come without their type; a subresource may answer with another kind, which stays as it came. */
  #typed<T extends KubeObject>(kind: Kind<T>, value: unknown): T {
    const sent = value as T
    const object = sent.kind ? sent : { ...sent, apiVersion: apiVersionOf(kind), kind: kind.kind }
    if (object.kind !== kind.kind) return object
    const codec = this.#codec(kind)
    return codec ? (codec.decode(object, { strict: false }).object as T) : object
  }

  /** null for custom resources, whose schema only the server knows. */
  #codec(kind: AnyKind): Codec<KubeObject> | null {
    let codec = this.#known.get(kind)
    if (codec === undefined) {
      codec = modelFacts(kind.model) ? this.#codecs.for<KubeObject>(this.#types.struct(kind.model)) : null
      this.#known.set(kind, codec)
    }
    return codec
  }
}
