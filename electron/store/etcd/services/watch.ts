import { Watch, type WatchCreateRequest, WatchRequestSchema } from '../../wire/gen/etcd_pb.js'
import { keyOf } from '../../wire/keys.ts'
import type { StoreEvent } from '../../store.ts'
import { watchMessage, type WatchNotice } from '../codec/watch-response.ts'
import { toGrpcError } from '../errors.ts'
import type { StreamCall, StreamReceiver } from '../grpc/call.ts'
import { EventEncoder } from './event-encoder.ts'
import { newestRevision, parse, pathOf, type Service, type ServiceDeps } from './service.ts'
import { WatchRun } from './watch-run.ts'

/** What etcd calls a watch that is none. */
const NO_ID = -1
/** Of a response, if the client takes them in fragments: etcd's limit of a request, and what it allows for the rest of it. */
const FRAGMENT = 2 * 1024 * 1024

/** etcd's Watch service. */
export function watchService(deps: ServiceDeps): Service {
  const encoder = new EventEncoder(deps.headers)
  return [[pathOf(Watch.method.watch), { kind: 'stream', open: (call) => new WatchStream(deps, encoder, call) }]]
}

/** One client's watches, on one stream. */
class WatchStream implements StreamReceiver {
  readonly #deps: ServiceDeps
  readonly #encoder: EventEncoder
  readonly #call: StreamCall
  readonly #watches = new Map<number, WatchRun>()
  #nextId = 0
  /** Watches that have yet to come to the point for which the client asked how far it is; null if it did not. */
  #asked: { readonly open: Set<WatchRun>; revision: number } | null = null
  #askedAgain = false

  constructor(deps: ServiceDeps, encoder: EventEncoder, call: StreamCall) {
    this.#deps = deps
    this.#encoder = encoder
    this.#call = call
    call.signal.addEventListener('abort', () => this.#stop())
  }

  message(bytes: Buffer): void {
    const { requestUnion } = parse(WatchRequestSchema, bytes)
    if (requestUnion.case === 'createRequest') this.#create(requestUnion.value)
    else if (requestUnion.case === 'cancelRequest') this.#cancel(Number(requestUnion.value.watchId))
    else if (requestUnion.case === 'progressRequest') this.#askProgress()
  }

  /** Who asks for nothing more still wants to hear. */
  end(): void {}

  #create(request: WatchCreateRequest): void {
    const key = request.key.length === 0 ? '\0' : keyOf(request.key)
    const end = keyOf(request.rangeEnd)
    const id = this.#idFor(Number(request.watchId))
    if (request.startRevision < 0n) return this.#refuse('etcdserver: mvcc: required revision has been compacted')
    if (end !== '' && end !== '\0' && key >= end) return this.#refuse('mvcc: watcher range is empty')
    if (id === null) return this.#refuse('mvcc: duplicate watch ID provided on the WatchStream')
    const run = new WatchRun(
      {
        store: this.#deps.store,
        request: {
          key,
          ...(end === '' ? {} : { end }),
          startRevision: Number(request.startRevision),
          prevKv: request.prevKv,
          filter: { noPut: request.filters.includes(0), noDelete: request.filters.includes(1) },
        },
        progressNotify: request.progressNotify,
      },
      {
        created: (revision) => this.#send(revision, { watchId: id, created: true }),
        events: (revision, events) => this.#deliver(id, revision, events, request.fragment),
        progress: (revision) => this.#send(revision, { watchId: id }),
        reached: (revision) => this.#reached(run, revision),
        cancelled: (revision, why) => {
          this.#forget(id, run)
          this.#send(revision, { watchId: id, canceled: true, ...why })
        },
        failed: (error) => this.#call.finish(toGrpcError(error)),
        blocked: () => this.#call.blocked,
        drained: () => this.#call.drained(),
      },
    )
    this.#watches.set(id, run)
    run.start()
  }

  /** The id that the client chose, or the next; null if the client's is taken. */
  #idFor(wanted: number): number | null {
    if (wanted !== 0) return this.#watches.has(wanted) ? null : wanted
    while (this.#watches.has(this.#nextId)) this.#nextId++
    return this.#nextId++
  }

  #refuse(cancelReason: string): void {
    newestRevision(this.#deps.store).then(
      (revision) => this.#send(revision, { watchId: NO_ID, created: true, canceled: true, cancelReason }),
      (error: unknown) => this.#call.finish(toGrpcError(error)),
    )
  }

  /** A watch that is not there is passed over in silence, as by etcd. */
  #cancel(id: number): void {
    this.#watches.get(id)?.cancel()
  }

  #send(revision: number, notice: WatchNotice, events?: readonly Buffer[]): void {
    this.#call.send(watchMessage(this.#deps.headers, revision, notice, events))
  }

  #deliver(watchId: number, revision: number, events: readonly StoreEvent[], fragments: boolean): void {
    if (!fragments) return this.#call.send(this.#encoder.message(watchId, revision, events))
    let part: Buffer[] = []
    let size = 0
    for (const bytes of events.map((event) => this.#encoder.event(event))) {
      if (part.length > 0 && size + bytes.length > FRAGMENT) {
        this.#send(revision, { watchId, fragment: true }, part)
        part = []
        size = 0
      }
      part.push(bytes)
      size += bytes.length
    }
    this.#send(revision, { watchId }, part)
  }

  /**
   * The client wants to know how far the stream is as a whole: when every watch has come past now, it is told the least of where they
   * are.
   */
  #askProgress(): void {
    if (this.#asked) {
      this.#askedAgain = true
      return
    }
    if (this.#watches.size === 0) return
    this.#asked = { open: new Set(this.#watches.values()), revision: Number.MAX_SAFE_INTEGER }
    for (const run of this.#watches.values()) run.ask()
  }

  #reached(run: WatchRun, revision: number): void {
    const asked = this.#asked
    if (!asked?.open.delete(run)) return
    asked.revision = Math.min(asked.revision, revision)
    if (asked.open.size > 0) return
    this.#asked = null
    if (asked.revision < Number.MAX_SAFE_INTEGER) this.#send(asked.revision, { watchId: NO_ID })
    if (!this.#askedAgain) return
    this.#askedAgain = false
    this.#askProgress()
  }

  #forget(id: number, run: WatchRun): void {
    this.#watches.delete(id)
    this.#reached(run, Number.MAX_SAFE_INTEGER)
  }

  #stop(): void {
    for (const run of this.#watches.values()) run.stop()
    this.#watches.clear()
  }
}
