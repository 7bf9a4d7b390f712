/** Which containers started, ended or ran out of memory, as containerd tells it while it happens. */
import { fromBinary } from '@bufbuild/protobuf'
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { Emitter } from '../../base/events.ts'
import { component, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import { Events, TaskEventSchema } from './gen/containerd/events_pb.js'
import type { GrpcConnection } from './grpc.ts'

export const CRI_NAMESPACE = 'k8s.io'

export interface RuntimeEvents {
  /** The id of a container that changed. A hint to look again: none may be missed for the picture to stay true. */
  readonly changed: Emitter<string>
  /** The stream broke or came up: anything may have changed meanwhile. */
  readonly gap: Emitter<boolean>
  readonly connected: boolean
}

const TOPICS = new Set(['/tasks/create', '/tasks/start', '/tasks/exit', '/tasks/oom', '/tasks/delete', '/tasks/paused', '/tasks/resumed'])
const RETRY = 1000

/** Keeps a subscription open while it runs. `start` does not wait for containerd. */
export function createContainerdEvents(deps: { connection: GrpcConnection; clock: Clock; logger: Logger }): Component & RuntimeEvents {
  const { connection, clock, logger } = deps
  const changed = new Emitter<string>()
  const gap = new Emitter<boolean>()
  let connected = false
  const setConnected = (value: boolean) => {
    if (connected === value) return
    connected = value
    gap.emit(value)
  }

  const follow = async (signal: AbortSignal) => {
    const filters = [`namespace==${CRI_NAMESPACE},topic~=|^/tasks/|`]
    const stream = connection.stream(Events.method.subscribe, { filters }, { signal })
    const first = stream.next()
    // A subscription that is not refused within a moment stands; containerd sends nothing until something happens.
    const settled = await Promise.race([first.then(() => true), sleep(clock, 200, signal).then(() => false)])
    if (!settled) setConnected(true)
    for (let next = await first; !next.done; next = await stream.next()) {
      setConnected(true)
      const { topic, event } = next.value
      if (!TOPICS.has(topic) || !event) continue
      const { containerId, id } = fromBinary(TaskEventSchema, event.value)
      // The end of an exec is not the container's.
      if (topic === '/tasks/exit' && id !== containerId) continue
      changed.emit(containerId)
    }
  }

  const run = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        await follow(signal)
      } catch (error) {
        if (signal.aborted) return
        logger.debug('the event stream of containerd broke', { error: messageOf(error) })
      }
      setConnected(false)
      await sleep(clock, RETRY, signal).catch(() => undefined)
    }
  }

  const base = component(async (stack, signal) => {
    const running = run(signal)
    stack.defer(() => running)
  })
  return componentWith(base, {
    changed,
    gap,
    get connected() {
      return connected
    },
  })
}
