/** What a glance at the cluster shows: its tray entry, its badge and what is worth a notification. */
import { node as nodeKind } from '../api/core/v1/node.ts'
import { pod as podKind } from '../api/core/v1/pod.ts'
import type { Node, Pod } from '../api/core/v1/types.gen.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { sleep, type Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { follow, type Followed } from './live/follow.ts'

export interface Health {
  readonly nodes: { readonly ready: number; readonly total: number }
  readonly pods: { readonly running: number; readonly total: number }
  /** Names of nodes that are not ready. */
  readonly silent: readonly string[]
  /** Pods of which a container keeps crashing. */
  readonly looping: readonly { readonly namespace: string; readonly name: string }[]
}

/** Milliseconds between two reports. */
const EVERY = 1000

/** Reports at once when the whole cluster has been seen, and then when something has changed. Runs until the signal aborts. */
export async function followHealth(
  deps: { readonly client: Client; readonly clock: Clock; readonly random: Random },
  report: (health: Health) => void,
  signal: AbortSignal,
): Promise<void> {
  const nodes = new Tally<{ name: string; ready: boolean }>((object) => ({ name: object.metadata.name, ready: isReady(object as Node) }))
  const pods = new Tally<PodState>((object) => stateOf(object as Pod))
  let changed = false
  const into = (tally: { take(update: Followed): void }) => async (update: Followed) => {
    tally.take(update)
    changed = true
  }
  const following = Promise.all([
    follow(deps, { kind: nodeKind }, into(nodes), signal),
    follow(deps, { kind: podKind }, into(pods), signal),
  ])
  while (!signal.aborted) {
    if (changed && nodes.seen && pods.seen) {
      changed = false
      report(summary(nodes.values(), pods.values()))
    }
    await sleep(deps.clock, EVERY, signal).catch(() => undefined)
  }
  await following
}

function summary(nodes: { name: string; ready: boolean }[], pods: PodState[]): Health {
  const silent = nodes.filter((node) => !node.ready).map((node) => node.name)
  const looping = pods.flatMap((pod) => (pod.looping ? [pod.looping] : []))
  return {
    nodes: { ready: nodes.length - silent.length, total: nodes.length },
    pods: { running: pods.filter((pod) => pod.running).length, total: pods.length },
    silent: silent.sort(),
    looping: looping.sort((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`)),
  }
}

interface PodState {
  readonly running: boolean
  readonly looping: { readonly namespace: string; readonly name: string } | null
}

const RUNNING: PodState = { running: true, looping: null }
const OTHER: PodState = { running: false, looping: null }

function stateOf(pod: Pod): PodState {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const { namespace = '', name } = pod.metadata
  if (statuses.some((status) => status.state?.waiting?.reason === 'CrashLoopBackOff'))
    return { running: false, looping: { namespace, name } }
  return pod.status?.phase === 'Running' ? RUNNING : OTHER
}

function isReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

/** What is kept of each object, by uid. */
class Tally<T> {
  readonly #of: (object: KubeObject) => T
  #kept = new Map<string, T>()
  /** Whether all objects have been told once. */
  seen = false

  constructor(of: (object: KubeObject) => T) {
    this.#of = of
  }

  take(update: Followed): void {
    if (update.type === 'stale') return
    if (update.type === 'reset') {
      this.#kept = new Map(update.items.map((object) => [object.metadata.uid, this.#of(object)]))
      this.seen = true
      return
    }
    for (const object of update.upserts) this.#kept.set(object.metadata.uid, this.#of(object))
    for (const uid of update.deletes) this.#kept.delete(uid)
  }

  values(): T[] {
    return [...this.#kept.values()]
  }
}
