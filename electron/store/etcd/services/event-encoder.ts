import type { StoreEvent } from '../../store.ts'
import type { HeaderCodec } from '../codec/header.ts'
import { eventBytes, watchMessage } from '../codec/watch-response.ts'

/** A message with its watch's id in it, which is the same for the first watch of each client. */
interface Message {
  readonly watchId: number
  readonly bytes: Buffer
}

/** Events as bytes, made once for all the watches that share them. */
export class EventEncoder {
  readonly #headers: HeaderCodec
  readonly #events = new WeakMap<StoreEvent, Buffer>()
  /** By a transaction's events, the last that was made of them. */
  readonly #messages = new WeakMap<readonly StoreEvent[], Message>()

  constructor(headers: HeaderCodec) {
    this.#headers = headers
  }

  /** mvccpb.Event; not to be changed. */
  event(event: StoreEvent): Buffer {
    let bytes = this.#events.get(event)
    if (!bytes) this.#events.set(event, (bytes = eventBytes(event)))
    return bytes
  }

  /** A prefixed WatchResponse with all of the events, which are of this revision; not to be changed. */
  message(watchId: number, revision: number, events: readonly StoreEvent[]): Buffer {
    const last = this.#messages.get(events)
    if (last?.watchId === watchId) return last.bytes
    const parts = events.map((event) => this.event(event))
    const bytes = watchMessage(this.#headers, revision, { watchId }, parts)
    this.#messages.set(events, { watchId, bytes })
    return bytes
  }
}
