/** The node's sign of life: a Lease that is renewed every ten seconds. Source: kubernetes `component-helpers/apimachinery/lease`. */
import { deadline, sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Emitter } from '../../../base/events.ts'
import { component } from '../../../base/lifecycle.ts'
import type { Component } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Node } from '../../../api/core/v1/types.gen.ts'
import { lease as leaseKind } from '../../../api/coordination/v1/lease.ts'
import { formatMicroTime } from '../../../api/values/time.ts'
import type { Client } from '../../../client/client.ts'
import { hasReason } from '../../../machinery/status.ts'

export interface LeaseDeps {
  readonly client: Pick<Client, 'patch' | 'create'>
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeName: string
  /** null until it is registered. */
  readonly node: () => Node | null
  /** The API server can be reached again: it is told at once that this node lives. */
  readonly reconnected: Emitter<void>
}

const NAMESPACE = 'kube-node-lease'
const DURATION_SECONDS = 40
const RENEW = 10_000
const RETRY = 500
/** After a failure: the API server is away, or its answer was lost. */
const AGAIN = 3000
const TIMEOUT = 10_000

/** `start` does not wait for the API server. */
export function createLease(deps: LeaseDeps): Component {
  const { client, clock, logger, nodeName } = deps

  /** Milliseconds to the next time: soon while there is no node yet that it could belong to. */
  const renew = async (signal: AbortSignal): Promise<number> => {
    const node = deps.node()
    if (!node) return RETRY
    using limit = deadline(clock, TIMEOUT, signal)
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: DURATION_SECONDS, renewTime: formatMicroTime(clock.now()) }
    const at = { namespace: NAMESPACE, name: nodeName }
    try {
      await client.patch(leaseKind, at, { type: 'merge', body: { spec } }, { signal: limit.signal })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
      const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid }
      await client.create(leaseKind, { metadata: { ...at, ownerReferences: [owner] }, spec }, { signal: limit.signal })
    }
    return RENEW
  }

  const run = async (signal: AbortSignal) => {
    let woken = new AbortController()
    using _listening = deps.reconnected.on(() => woken.abort())
    while (!signal.aborted) {
      woken = new AbortController()
      const wait = await renew(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.debug('the lease was not renewed', { error: messageOf(error) })
        return AGAIN
      })
      if (!woken.signal.aborted) await sleep(clock, wait, AbortSignal.any([signal, woken.signal])).catch(() => undefined)
    }
  }

  return component(async (stack, signal) => {
    const running = run(signal)
    stack.defer(() => running)
  })
}
