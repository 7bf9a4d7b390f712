/** Which pods are worth another try after what happened. Source: `scheduler/backend/queue`, `isPodWorthRequeuing`. */
import type { Logger } from '../../base/logger.ts'
import { matchesEvent, type ClusterEvent, type Happening } from '../framework/events.ts'
import type { EventRegistration, Plugin } from '../framework/plugin.ts'
import type { QueuedPod } from './queued-pod.ts'

export type Strategy = 'skip' | 'after back-off' | 'at once'

export class Hints {
  /** By scheduler name, then by plugin. */
  readonly #byProfile = new Map<string, ReadonlyMap<string, readonly EventRegistration[]>>()
  readonly #logger: Logger
  /** By "resource/action". */
  readonly #interested = new Map<string, ReadonlySet<string>>()

  constructor(profiles: Iterable<{ readonly schedulerName: string; readonly plugins: readonly Plugin[] }>, logger: Logger) {
    this.#logger = logger
    for (const { schedulerName, plugins } of profiles) {
      this.#byProfile.set(schedulerName, new Map(plugins.map(({ name, events = [] }) => [name, events])))
    }
  }

  /** The plugins, of any profile, that want to hear of an event. */
  interested(event: ClusterEvent): ReadonlySet<string> {
    const key = `${event.resource}/${event.action}`
    const known = this.#interested.get(key)
    if (known) return known
    const names = new Set<string>()
    this.#interested.set(key, names)
    for (const plugins of this.#byProfile.values()) {
      for (const [name, events] of plugins) if (events.some((wanted) => matchesEvent(wanted.event, event))) names.add(name)
    }
    return names
  }

  /** Whether the plugin that holds the pod back wants to hear of an event. */
  mayOpen(pod: QueuedPod, event: ClusterEvent): boolean {
    return this.#eventsOf(pod, pod.gate ?? '').some((wanted) => matchesEvent(wanted.event, event))
  }

  strategy(pod: QueuedPod, { event, old, now }: Happening): Strategy {
    if (pod.isFaulty || event.resource === '*') return 'after back-off'
    let strategy: Strategy = 'skip'
    for (const plugin of pod.rejectors.union(pod.pending)) {
      for (const wanted of this.#eventsOf(pod, plugin)) {
        if (!matchesEvent(wanted.event, event) || !this.#says(plugin, wanted, pod, old, now)) continue
        if (pod.pending.has(plugin)) return 'at once'
        strategy = 'after back-off'
      }
    }
    return strategy
  }

  #eventsOf({ info }: QueuedPod, plugin: string): readonly EventRegistration[] {
    return this.#byProfile.get(info.pod.spec.schedulerName ?? '')?.get(plugin) ?? []
  }

  /** A hint that fails must not leave the pod behind. */
  #says(plugin: string, { hint }: EventRegistration, { info }: QueuedPod, old: Happening['old'], now: Happening['now']): boolean {
    if (!hint) return true
    try {
      return hint(info, old, now) === 'Queue'
    } catch (error) {
      this.#logger.error('a queueing hint failed', { plugin, pod: info.key, error })
      return true
    }
  }
}
