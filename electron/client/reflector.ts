/** Keeps a local copy true by list and watch. Source of the rules: Kubernetes API concepts, "Efficient detection of changes". */
import { sleep, type Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import type { Kind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { hasReason } from '../machinery/status.ts'
import type { Client } from './client.ts'
import type { InformerOptions } from './informer.ts'

export interface ReflectorSink<T> {
  replace(objects: readonly T[]): void
  set(object: T): void
  delete(object: T): void
  /** Whether a watch is up, and with it the copy kept true. */
  live(up: boolean): void
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Client
  readonly kind: Kind<T>
  readonly select: InformerOptions
  readonly sink: ReflectorSink<T>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Ends the wait after a fault, also after one of an attempt that is under way. */
  readonly retryNow?: Emitter<void>
}

const PAGE = 500
/** Seconds; a watch lives between one and two times this, so that those of many clients do not end together. */
const WATCH_SECONDS = 300
const FIRST_DELAY = 200
const LONGEST_DELAY = 30_000
/** A watch that was up for so long in milliseconds makes earlier faults forgotten. */
const STEADY = 10_000
/** So many faults in a row without an event between them, and the list is read anew. */
const FAULTS_TO_RELIST = 3

/** Runs until the signal aborts; never throws. */
export async function reflect<T extends KubeObject>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<void> {
  const { sink, clock, random, logger, kind } = options
  /** Where to go on watching; null: the list must be read first. */
  let revision: string | null = null
  let faults = 0
  let woken = new AbortController()
  using _listening = options.retryNow?.on(() => woken.abort())
  while (!signal.aborted) {
    woken = new AbortController()
    const began = clock.monotonic()
    let fault: unknown = null
    try {
      revision ??= await listAll(options, signal)
      for await (const event of watchFrom(options, revision, signal)) {
        sink.live(true)
        faults = 0
        revision = event.object.metadata.resourceVersion
        if (event.type === 'DELETED') sink.delete(event.object)
        else if (event.type !== 'BOOKMARK') sink.set(event.object)
      }
      // A server that ends each watch at once must not be asked in a loop.
      if (clock.monotonic() - began < 1000) fault = new Error('the watch ended at once')
    } catch (error) {
      fault = error
    }
    if (signal.aborted) return
    sink.live(false)
    if (clock.monotonic() - began >= STEADY) faults = 0
    if (fault === null) continue
    faults++
    const expired = hasReason(fault, 'Expired', 'Gone')
    if (expired || faults >= FAULTS_TO_RELIST) revision = null
    if (expired && faults === 1) continue
    const delay = Math.min(FIRST_DELAY * 2 ** (faults - 1), LONGEST_DELAY) * (0.5 + random.float())
    logger[faults === 1 ? 'debug' : 'warn']('informer lost its watch', {
      resource: kind.resource,
      group: kind.group,
      faults,
      delay,
      error: fault,
    })
    await sleep(clock, delay, AbortSignal.any([signal, woken.signal])).catch(() => undefined)
    if (woken.signal.aborted) faults = 0
  }
}

/** Reads the list in pages and returns its revision. A list that outlived its history is begun again. */
async function listAll<T extends KubeObject>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<string> {
  const { client, kind, select, sink } = options
  const items: T[] = []
  let next: string | undefined
  for (;;) {
    const page = await client.list(kind, { ...select, limit: PAGE, ...(next ? { continue: next } : {}), signal })
    for (const item of page.items) items.push(item)
    next = page.metadata.continue
    if (next) continue
    sink.replace(items)
    return page.metadata.resourceVersion ?? ''
  }
}

function watchFrom<T extends KubeObject>(options: ReflectorOptions<T>, revision: string, signal: AbortSignal) {
  const { client, kind, select, random, sink } = options
  return client.watch(kind, {
    ...select,
    resourceVersion: revision,
    allowWatchBookmarks: true,
    timeoutSeconds: Math.round(WATCH_SECONDS * (1 + random.float())),
    onOpen: () => sink.live(true),
    signal,
  })
}
