/** Closing a node and moving its pods elsewhere, as `kubectl drain` does. Source: Kubernetes "Safely Drain a Node". */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'

export interface DrainOptions {
  readonly client: Client
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly detail: (text: string) => void
}

const WITHIN_MS = 300_000
const AGAIN_MS = 2000

/** Opens it again when disposed, unless it was closed before. Throws CANCELLED after 5 minutes if a disruption budget does not let go. */
export async function drainNode(node: string, options: DrainOptions): Promise<AsyncDisposable> {
  const { client, clock, signal, detail } = options
  const wasClosed = (await client.get(nodeKind, { name: node })).spec.unschedulable === true
  const setClosed = (unschedulable: boolean | null) =>
    client.patch(nodeKind, { name: node }, { type: 'merge', body: { spec: { unschedulable } } })
  await setClosed(true)
  const reopen = { [Symbol.asyncDispose]: async () => void (wasClosed || (await setClosed(null))) }
  try {
    const end = clock.monotonic() + WITHIN_MS
    for (;;) {
      const left = await going(client, node)
      if (left.length === 0) return reopen
      detail(left.length === 1 ? 'a pod has to move' : `${left.length} pods have to move`)
      let why = ''
      for (const pod of left) if (!pod.metadata.deletionTimestamp) why = (await evict(client, pod)) ?? why
      if (clock.monotonic() > end) throw stuck(node, left, why)
      await sleep(clock, AGAIN_MS, signal)
    }
  } catch (error) {
    await reopen[Symbol.asyncDispose]()
    throw error
  }
}

async function going(client: Client, node: string): Promise<readonly Pod[]> {
  const { items } = await client.list(podKind, { fieldSelector: `spec.nodeName=${node}` })
  return items.filter(
    ({ metadata, status }) =>
      !['Succeeded', 'Failed'].includes(status.phase ?? '') &&
      !metadata.ownerReferences?.some((owner) => owner.controller && owner.kind === 'DaemonSet') &&
      metadata.annotations?.['kubernetes.io/config.mirror'] === undefined,
  )
}

/** What stands in its way, if anything does. */
async function evict(client: Client, { metadata: { namespace, name, uid } }: Pod): Promise<string | null> {
  const body: unknown = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace, name },
    deleteOptions: { preconditions: { uid } },
  }
  try {
    await client.create(podKind, body as Draft<Pod>, { subresource: 'eviction' })
    return null
  } catch (error) {
    if (hasReason(error, 'NotFound', 'Conflict')) return null
    if (hasReason(error, 'TooManyRequests')) return messageOf(error)
    throw error
  }
}

function stuck(node: string, left: readonly Pod[], why: string): FlotillaError {
  return new FlotillaError('CANCELLED', {
    what: `${node} could not be emptied within ${WITHIN_MS / 60_000} minutes.`,
    why: `Still there: ${left.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')}.${why ? ` ${why}` : ''}`,
    next: 'Give their workloads more replicas or their disruption budgets more room, or go on without moving pods: an upgrade of the agent leaves them running.',
  })
}
