/** A list that is kept true, from one list and one watch, in batches. */
import { sleep, type Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Client } from '../../client/client.ts'
import { hasReason, StatusError } from '../../machinery/status.ts'

/** Objects are those of the server's cache: frozen, and shared. */
export type Followed =
  | { readonly type: 'reset'; readonly revision: string; readonly items: readonly KubeObject[] }
  | { readonly type: 'changes'; readonly revision: string; readonly upserts: readonly KubeObject[]; readonly deletes: readonly string[] }
  | { readonly type: 'stale'; readonly since: string; readonly why: string }

interface LiveQuery {
  readonly kind: AnyKind
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

/** Milliseconds in which changes are gathered before they are sent as one. */
const BATCH_MS = 50
const SHORTEST_WATCH = 1000
const RETRY_MS = [250, 1000, 3000, 10_000]

/** Runs until the signal aborts; throws StatusError only for what will not mend by itself (Forbidden, NotFound, BadRequest). */
export async function follow(
  deps: { client: Client; clock: Clock; random: Random },
  query: LiveQuery,
  send: (update: Followed) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    try {
      await followOnce(deps, query, send, signal, () => (failures = 0))
    } catch (error) {
      if (signal.aborted) return
      if (hasReason(error, 'Forbidden', 'Unauthorized', 'NotFound', 'BadRequest', 'MethodNotAllowed')) throw error
      if (hasReason(error, 'Expired', 'Gone')) continue
      const why = error instanceof StatusError ? error.message : String(error)
      await send({ type: 'stale', since: new Date(deps.clock.now()).toISOString(), why })
      const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0
      await sleep(deps.clock, wait * (0.75 + deps.random.float() / 2), signal).catch(() => undefined)
    }
  }
}

async function followOnce(
  { client, clock }: { client: Client; clock: Clock },
  { kind, ...selection }: LiveQuery,
  send: (update: Followed) => Promise<void>,
  signal: AbortSignal,
  onListed: () => void,
): Promise<void> {
  const list = await client.list(kind, { ...selection, signal })
  let revision = list.metadata.resourceVersion ?? ''
  await send({ type: 'reset', revision, items: list.items })
  onListed()

  let changed = new Map<string, KubeObject | null>()
  let timer: Disposable | null = null
  let pumping = false
  // While one batch is on its way to a slow reader, changes of the same objects fall together in the next.
  const pump = async () => {
    timer = null
    if (pumping) return
    pumping = true
    try {
      while (changed.size && !signal.aborted) {
        const batch = changed
        changed = new Map()
        const upserts = [...batch.values()].filter((object) => object !== null)
        const deletes = [...batch].filter(([, object]) => object === null).map(([uid]) => uid)
        await send({ type: 'changes', revision, upserts, deletes })
      }
    } catch {
      // The stream is over; the signal ends the watch.
    } finally {
      pumping = false
    }
  }
  try {
    for (;;) {
      const began = clock.monotonic()
      for await (const event of client.watch(kind, { ...selection, resourceVersion: revision, allowWatchBookmarks: true, signal })) {
        revision = event.object.metadata.resourceVersion
        if (event.type === 'BOOKMARK') continue
        changed.set(event.object.metadata.uid, event.type === 'DELETED' ? null : event.object)
        timer ??= clock.setTimeout(() => void pump(), BATCH_MS)
      }
      if (signal.aborted) return
      // A server that ends each watch at once must not be asked in a loop.
      if (clock.monotonic() - began < SHORTEST_WATCH) await sleep(clock, SHORTEST_WATCH, signal)
    }
  } finally {
    timer?.[Symbol.dispose]()
    // A list read anew comes next; what was seen before it must not follow it.
    changed.clear()
  }
}
