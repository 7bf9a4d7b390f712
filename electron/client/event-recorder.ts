/**
 * Records what happened to an object as core/v1 Events. Like events are counted on one Event; many that differ only in their text are
 * combined; an object that causes very many is silenced for a while. Events of one object are written in order, those of several at the
 * same time. Source: client-go `tools/record`, its limits included.
 */
import { event as eventKind } from '../api/core/v1/event.ts'
import type { Event } from '../api/core/v1/types.gen.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { sleep, type Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { hasReason } from '../machinery/status.ts'
import type { Client } from './client.ts'
import { EventCorrelator, type Decision, type Occurrence } from './event-correlator.ts'
import { Lanes } from './lanes.ts'

export interface EventRecorder extends AsyncDisposable {
  /**
   * Never throws and never waits: the Event is written in the background, or after some tries given up and logged. `fieldPath` names the
   * part of the object that is meant: "spec.containers{web}".
   */
  event(regarding: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void
  /** Resolves when everything recorded so far is written or given up. */
  flush(): Promise<void>
}

export interface EventRecorderOptions {
  readonly client: Client
  /** Who reports: "kubelet", "default-scheduler", "deployment-controller". */
  readonly component: string
  /** The node that it runs on, if it matters. */
  readonly host?: string
  readonly clock: Clock
  readonly logger: Logger
  /** Events of so many objects are written at the same time; default 16. Fewer leave more of the server to what they tell of. */
  readonly atOnce?: number
}

const MESSAGE_LIMIT = 1024
/** More than so many waiting and further ones are dropped: a server that is away must not fill the memory. */
const WAITING_LIMIT = 50_000
/** Events of different objects under way. */
const AT_ONCE = 16
const TRIES = 12
const BETWEEN_TRIES = 10_000

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, component, host, clock, logger, atOnce = AT_ONCE } = options
  const correlator = new EventCorrelator(clock)
  const lanes = new Lanes(atOnce)
  const pending = new Set<Promise<void>>()
  const stopping = new AbortController()
  let last = 0n

  const write = async (occurrence: Occurrence, decision: Exclude<Decision, { type: 'drop' }>): Promise<void> => {
    const { signal } = stopping
    const { namespace } = occurrence
    const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    if (decision.type === 'count') {
      try {
        const body = { count: decision.count, lastTimestamp: time, message: decision.message }
        await client.patch(eventKind, { namespace, name: decision.name }, { type: 'merge', body }, { signal })
        return
      } catch (error) {
        // Events live for an hour; one that is gone begins anew.
        if (!hasReason(error, 'NotFound')) throw error
      }
    }
    const { regarding, fieldPath, type, reason } = occurrence
    const { apiVersion, kind, metadata } = regarding
    const source = { component, ...(host ? { host } : {}) }
    const made = await client.create(
      eventKind,
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: nameOf(metadata.name), namespace },
        involvedObject: {
          apiVersion,
          kind,
          name: metadata.name,
          uid: metadata.uid,
          resourceVersion: metadata.resourceVersion,
          ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
          ...(fieldPath ? { fieldPath } : {}),
        },
        type,
        reason,
        message: decision.message,
        source,
        reportingComponent: component,
        reportingInstance: host ?? '',
        count: decision.type === 'count' ? decision.count : 1,
        firstTimestamp: time,
        lastTimestamp: time,
      },
      { signal },
    )
    correlator.written(occurrence, made.metadata.name)
  }

  /** The time in hexadecimal makes names differ; two in one millisecond are told apart by what follows. */
  const nameOf = (object: string): Event['metadata']['name'] => {
    const now = BigInt(Math.floor(clock.now())) * 1_000_000n
    last = now > last ? now : last + 1n
    return `${object}.${last.toString(16)}`
  }

  const attempt = async (occurrence: Occurrence): Promise<void> => {
    if (stopping.signal.aborted) return
    const decision = correlator.decide(occurrence)
    if (decision.type === 'drop') return
    for (let tries = 1; ; tries++) {
      try {
        return await write(occurrence, decision)
      } catch (error) {
        if (stopping.signal.aborted) return
        // Another recorder wrote of the object in the same moment: the next name is free, or the one after it.
        if (hasReason(error, 'AlreadyExists') && tries < TRIES) continue
        const again = hasReason(error, 'ServiceUnavailable', 'ServerTimeout', 'Timeout', 'TooManyRequests', 'InternalError')
        if (!again || tries >= TRIES) {
          logger.warn('event not recorded', { reason: occurrence.reason, object: occurrence.regarding.metadata.name, error })
          return
        }
        await sleep(clock, BETWEEN_TRIES, stopping.signal).catch(() => undefined)
      }
    }
  }

  const flush = async () => void (await Promise.all(pending))

  return {
    event(regarding, type, reason, message, fieldPath) {
      if (stopping.signal.aborted) return
      if (pending.size >= WAITING_LIMIT) return
      const text = message.length > MESSAGE_LIMIT ? `${message.slice(0, MESSAGE_LIMIT - 3)}...` : message
      const namespace = regarding.metadata.namespace ?? 'default'
      const occurrence: Occurrence = { regarding, fieldPath, namespace, type, reason, message: text }
      const done = lanes.run(objectKey(regarding), () => attempt(occurrence))
      pending.add(done)
      void done.finally(() => pending.delete(done))
    },
    flush,
    async [Symbol.asyncDispose]() {
      stopping.abort(new DOMException('the event recorder is stopped', 'AbortError'))
      await flush()
    },
  }
}

function objectKey({ kind, metadata: { namespace = '', name, uid } }: KubeObject): string {
  return `${kind}\n${namespace}\n${name}\n${uid}`
}
