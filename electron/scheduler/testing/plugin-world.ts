/** Some plugins in a small world without a server: what they say of each node for a pod. */
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { Handle, PluginDescriptor } from '../framework/descriptor.ts'
import { Throttle } from '../cycle/throttle.ts'
import { matchesEvent, type ClusterEvent } from '../framework/events.ts'
import { Framework } from '../framework/framework.ts'
import type { Hint } from '../framework/plugin.ts'
import { resolveProfile, type PluginSettings } from '../framework/profile.ts'
import type { Status } from '../framework/status.ts'
import { Nominator } from '../queue/nominator.ts'
import { NO_OBJECTS, type ClusterObjects } from '../snapshot/cluster-objects.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { snapshotOf, type Snapshot } from '../snapshot/snapshot.ts'

export interface WorldOptions {
  readonly nodes: readonly Node[]
  readonly pods?: readonly Pod[]
  readonly objects?: Partial<ClusterObjects>
  readonly settings?: Readonly<Record<string, PluginSettings>>
}

export interface PluginWorld {
  readonly framework: Framework
  readonly handle: Handle
  readonly snapshot: Snapshot
  readonly nominator: Nominator
  /** The pods that informers know; none, unless a test says otherwise. */
  live: Handle['livePod']
  /** By node; null: the pod fits. */
  statuses(pod: Pod): Record<string, Status | null>
  /** By node; "": the pod fits. */
  reasons(pod: Pod): Record<string, string>
  /** One plugin's scores by node; null: it has nothing to say. */
  scores(pod: Pod, plugin: string): Record<string, number> | null
  /** What the only plugin's hints say of an event; "deaf": it does not ask to hear of it. */
  readonly hint: (pod: Pod, event: ClusterEvent, old: KubeObject | undefined, now: KubeObject | undefined) => Hint | 'deaf'
}

export function pluginWorld(plugins: readonly PluginDescriptor[], options: WorldOptions): PluginWorld {
  const { nodes, pods = [], objects, settings = {} } = options
  const snapshot = snapshotOf({ nodes, pods, objects: { ...NO_OBJECTS, ...objects } })
  const nominator = new Nominator()
  const handle: Handle = {
    client: {} as Client,
    clock: new FakeClock(),
    random: seededRandom(1),
    logger: silentLogger,
    events: { event() {} },
    nominated: nominator,
    calls: new Throttle(1),
    signal: new AbortController().signal,
    livePod: (namespace, name) => world.live(namespace, name),
    activate() {},
    allowWaiting: () => false,
    rejectWaiting: () => false,
    filter: (attempt, pod, node) => framework.filterWithNominated(attempt, pod, node),
    addPod: (attempt, pod, added, node) => framework.addPod(attempt, pod, added, node),
    removePod: (attempt, pod, removed, node) => framework.removePod(attempt, pod, removed, node),
  }
  const framework: Framework = new Framework(resolveProfile({ plugins, settings }, []), () => handle)
  const statuses = (pod: Pod) => {
    const attempt = framework.begin(snapshot)
    const info = new PodInfo(pod)
    const { status, nodes: subset } = framework.preFilter(attempt, info)
    const of = (name: string) => {
      const node = snapshot.node(name)
      if (status || !node) return status
      return subset && !subset.has(name) ? leftOut : framework.filterWithNominated(attempt, info, node)
    }
    return Object.fromEntries(snapshot.nodes.map(({ name }) => [name, of(name)]))
  }
  const world: PluginWorld = {
    framework,
    handle,
    snapshot,
    nominator,
    live: () => undefined,
    statuses,
    reasons: (pod) => Object.fromEntries(Object.entries(statuses(pod)).map(([name, status]) => [name, status?.reasons.join(', ') ?? ''])),
    scores(pod, plugin) {
      const attempt = framework.begin(snapshot)
      const info = new PodInfo(pod)
      framework.preFilter(attempt, info)
      framework.preScore(attempt, info, snapshot.nodes)
      let found: Record<string, number> | null = null
      framework.score(attempt, info, snapshot.nodes, (table) => {
        if (table.plugin === plugin) found = Object.fromEntries(snapshot.nodes.map(({ name }, i) => [name, table.scores[i] as number]))
      })
      return found
    },
    hint(pod, event, old, now) {
      const asked = framework.plugins.flatMap(({ events = [] }) => events).filter((wanted) => matchesEvent(wanted.event, event))
      if (asked.length === 0) return 'deaf'
      return asked.some(({ hint }) => !hint || hint(new PodInfo(pod), old, now) === 'Queue') ? 'Queue' : 'Skip'
    },
  }
  return world
}

const leftOut: Status = { code: 'UnschedulableAndUnresolvable', reasons: ['left out by PreFilter'], plugin: '' }
