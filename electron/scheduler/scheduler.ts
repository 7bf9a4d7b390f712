import { pod as podKind } from '../api/core/v1/pod.ts'
import { node as nodeKind } from '../api/core/v1/node.ts'
import type { Pod } from '../api/core/v1/types.gen.ts'
import { isAbort } from '../base/async.ts'
import type { Clock } from '../base/clock.ts'
import { component, type Component, componentWith } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import { createInformers } from '../client/informers.ts'
import { hasReason } from '../machinery/status.ts'
import { BindingCycles } from './cycle/binding-cycle.ts'
import type { ProfileRuntime, SchedulerCore } from './cycle/core.ts'
import { runLoop } from './cycle/loop.ts'
import { Throttle } from './cycle/throttle.ts'
import { WaitingPods } from './cycle/waiting-pods.ts'
import { AttemptLedger } from './explain/attempt-ledger.ts'
import { explainPod, type Explanation } from './explain/explain.ts'
import { Extender, type ExtenderConfig, type PostJson } from './extenders/extender.ts'
import { postJson } from './extenders/post-json.ts'
import { withExtenders } from './extenders/with-extenders.ts'
import type { Handle } from './framework/descriptor.ts'
import { Framework } from './framework/framework.ts'
import { resolveProfile, type Profile, type ProfileConfig } from './framework/profile.ts'
import { PLUGINS } from './plugins/list.ts'
import { Hints } from './queue/hints.ts'
import { Nominator } from './queue/nominator.ts'
import { SchedulingQueue } from './queue/scheduling-queue.ts'
import { SchedulerCache } from './snapshot/cache.ts'
import { PodInfo } from './snapshot/pod-info.ts'
import { Snapshot } from './snapshot/snapshot.ts'
import { RECONCILE_EVERY, reconcileOverdue, watchNodes, watchPods, watchResources } from './watch/cluster-watch.ts'
import { informedObjects } from './watch/informed-objects.ts'
import { StatusWriter } from './writes/status-writer.ts'

/** Placing pods comes before telling of it: kube-scheduler writes its Events one after the other. */
const EVENTS_AT_ONCE = 1
/** So many bindings and evictions at most are under way when another decision is made. */
const CALLS_AT_ONCE = 256

export interface SchedulerDeps {
  /** Must be allowed what `system:kube-scheduler` is. */
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Default: kube-scheduler's own profile, for pods of "default-scheduler". Of several no two have the same name. */
  readonly profiles?: readonly ProfileConfig[]
  /** Services that have a say for the pods of all profiles, in the order in which they are asked. */
  readonly extenders?: readonly ExtenderConfig[]
  /** Reaches them. Default: HTTP. */
  readonly post?: PostJson
  /** Hears of each attempt to place a pod how long it took to decide, in milliseconds. */
  readonly onDecision?: (duration: number) => void
}

export interface Scheduler extends Component {
  /**
   * Why a pod waits: what became of its last attempt, and what each filter says of each node now. Undefined for a pod that is not
   * known, is on a node, or is of another scheduler.
   */
  explain(namespace: string, name: string): Explanation | undefined
}

/**
 * Gives each pod that has no node the one that suits it best. Several may run, also against the same API server, which binds a pod
 * once only. `start` resolves when it has read the world and begun to work; it waits for an API server that is away.
 * Throws for profiles that cannot be.
 */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const extenders = (deps.extenders ?? []).map((config) => new Extender(config, deps.post ?? postJson(deps.clock)))
  const profiles = (deps.profiles ?? [{}]).map((config) => withExtenders(resolveProfile(config, PLUGINS), extenders))
  const twice = profiles.find(({ schedulerName }, i) => profiles.findIndex((other) => other.schedulerName === schedulerName) !== i)
  if (twice) throw new Error(`there are two profiles ${JSON.stringify(twice.schedulerName)}`)
  let core: SchedulerCore | null = null
  const base = component(async (stack, signal) => {
    core = await run(deps, profiles, extenders, stack, signal)
  })
  return componentWith(base, {
    explain(namespace, name) {
      const pod = core?.livePod(namespace, name)
      const framework = core?.profiles.get(pod?.spec.schedulerName ?? '')?.framework
      if (!core || !pod || !framework || pod.spec.nodeName) return undefined
      return explainPod(framework, core.cache.snapshot, new PodInfo(pod), core.ledger.get(pod.metadata.uid))
    },
  })
}

async function run(
  deps: SchedulerDeps,
  resolved: readonly Profile[],
  extenders: readonly Extender[],
  stack: AsyncDisposableStack,
  starting: AbortSignal,
): Promise<SchedulerCore> {
  const { client, clock, random, logger } = deps
  const stopping = new AbortController()
  const { signal } = stopping
  const informers = stack.use(createInformers(client, { clock, logger, random }))
  // Pods that have ended hold nothing.
  const pods = informers.for(podKind, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' })
  const nodes = informers.for(nodeKind)
  const cache = new SchedulerCache(new Snapshot(informedObjects(informers)), clock)
  const nominator = new Nominator()
  const waiting = new WaitingPods(clock)
  const ledger = new AttemptLedger(clock)
  const calls = new Throttle(CALLS_AT_ONCE)
  const statuses = new StatusWriter({ client, clock, logger, signal })
  const livePod = (namespace: string, name: string) => pods.get(namespace, name)

  const runtimes = new Map<string, ProfileRuntime>()
  for (const profile of resolved) {
    const { schedulerName } = profile
    const events = stack.use(createEventRecorder({ client, component: schedulerName, clock, logger, atOnce: EVENTS_AT_ONCE }))
    const framework = new Framework(profile, (self): Handle => {
      return {
        ...{ client, clock, random, logger, events, signal, livePod, calls },
        nominated: nominator,
        activate: (uid) => queue.activate(uid),
        allowWaiting: (uid, plugin) => waiting.allow(uid, plugin),
        rejectWaiting: (uid, plugin, message) => waiting.reject(uid, plugin, message),
        filter: (attempt, pod, node) => self.filterWithNominated(attempt, pod, node),
        addPod: (attempt, pod, added, node) => self.addPod(attempt, pod, added, node),
        removePod: (attempt, pod, removed, node) => self.removePod(attempt, pod, removed, node),
      }
    })
    runtimes.set(schedulerName, { framework, events })
  }
  const frameworks = [...runtimes.values()].map(({ framework }) => framework)
  const frameworkOf = ({ pod }: PodInfo) => runtimes.get(pod.spec.schedulerName ?? '')?.framework
  const queue: SchedulingQueue = stack.use(
    new SchedulingQueue({
      clock,
      nominator,
      hints: new Hints(frameworks, logger),
      less: (a, b) => frameworks[0]?.less(a, b) ?? a.timestamp < b.timestamp,
      preEnqueue: (pod, by) => frameworkOf(pod)?.preEnqueue(pod, by) ?? null,
      onGated: (pod, status) => ledger.heldBack(pod, status),
    }),
  )
  const core: SchedulerCore = {
    ...{ clock, random, logger, signal, queue, cache, waiting, statuses, ledger, livePod, extenders, calls },
    profiles: runtimes,
    fetchPod: (namespace, name) => fetchPod(client, namespace, name, signal),
  }
  stack.use(watchNodes(core, nodes))
  stack.use(watchPods(core, pods))
  stack.use(watchResources(core, informers))
  await informers.start(starting)

  const bindings = new BindingCycles(core)
  const loop = runLoop(core, bindings, deps.onDecision)
  const reconciling = clock.setInterval(() => void reconcile(core), RECONCILE_EVERY, { unref: true })
  stack.defer(async () => {
    stopping.abort(new DOMException('the scheduler is stopped', 'AbortError'))
    reconciling[Symbol.dispose]()
    waiting.rejectAll('the scheduler is stopped')
    queue[Symbol.dispose]()
    await loop
    await bindings.ended()
    await statuses.ended()
  })
  return core
}

async function fetchPod(client: Client, namespace: string, name: string, signal: AbortSignal): Promise<Pod | null> {
  try {
    return await client.get(podKind, { namespace, name }, { signal })
  } catch (error) {
    if (hasReason(error, 'NotFound')) return null
    throw error
  }
}

async function reconcile(core: SchedulerCore): Promise<void> {
  try {
    await reconcileOverdue(core)
  } catch (error) {
    if (!isAbort(error)) core.logger.warn('bindings that no informer tells of could not be looked up', { error })
  }
}
