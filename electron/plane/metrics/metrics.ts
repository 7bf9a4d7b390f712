/** Samples what nodes, pods and containers use, with no add-on: asks each node's agent, keeps the history, and answers the UI. */
import { mapLimit } from '../../base/async.ts'
import { deadline, type Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { component, componentWith, type Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { readBody } from '../../client/bytes.ts'
import type { Client } from '../../client/client.ts'
import type { METRICS_CHANNELS } from '../../contracts/metrics.ts'
import type { Handlers } from '../../contracts/server.ts'
import { readHistory, writeHistory } from './file.ts'
import { MetricsHistory, type Subject } from './history.ts'
import { Owners } from './owners.ts'
import type { Sample } from './series.ts'
import { sampleOf, Speeds, sum, type Summary } from './summary.ts'

export interface MetricsDeps {
  /** May read nodes and pods, and ask agents through `nodes/proxy`. */
  readonly client: Pick<Client, 'list' | 'request'>
  readonly clock: Clock
  readonly logger: Logger
  /** Folder of the history. */
  readonly dir: string
  /** Milliseconds of CPU that this thread took so far. */
  readonly cpuTime: () => number
}

export interface Metrics extends Component {
  readonly handlers: Handlers<typeof METRICS_CHANNELS>
}

/** Milliseconds between two rounds, and between two writings of the history. */
const PACE = 15_000
const WRITE = 5 * 60_000
/** An agent that takes longer is silent. */
const PATIENCE = 5000
const AT_ONCE = 8

export function createMetrics({ client, clock, logger, dir, cpuTime }: MetricsDeps): Metrics {
  const history = new MetricsHistory()
  const speeds = new Speeds()
  const owners = new Owners(client)
  let status = { measuredAt: null as number | null, nodes: 0, silent: [] as string[], lastRoundMs: 0 }
  let diskBytes = 0

  const ask = async (node: string, signal: AbortSignal): Promise<Summary> => {
    using limit = deadline(clock, PATIENCE, signal)
    const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`
    const response = await client.request({ method: 'GET', path, signal: limit.signal })
    const body = await readBody(response)
    if (response.status !== 200) throw new Error(`the agent of ${node} answered ${response.status}`)
    return JSON.parse(body.toString('utf8')) as Summary
  }

  const record = (at: number, answers: readonly { node: string; summary: Summary }[]) => {
    const elapsed = clock.monotonic()
    const groups = new Map<string, { subject: Subject; samples: Sample[] }>()
    const join = (subject: Subject, sample: Sample) => {
      const key = `${subject.kind}:${subject.name}`
      const group = groups.get(key)
      if (group) group.samples.push(sample)
      else groups.set(key, { subject, samples: [sample] })
    }
    const network = (key: string, of: { rxBytes?: number; txBytes?: number } | undefined): Sample => {
      const received = speeds.of(`${key}/rx`, elapsed, of?.rxBytes)
      const sent = speeds.of(`${key}/tx`, elapsed, of?.txBytes)
      return { ...(received === undefined ? {} : { received }), ...(sent === undefined ? {} : { sent }) }
    }
    for (const { node, summary } of answers) {
      const own = sampleOf(summary.node, { ...network(`node/${node}`, summary.node.network), ...diskOf(summary.node.fs) })
      history.add(at, { kind: 'node', name: node }, own)
      join({ kind: 'cluster', name: '' }, own)
      for (const pod of summary.pods) {
        const { namespace, name, uid } = pod.podRef
        const sample = sampleOf(pod, { ...network(`pod/${uid}`, pod.network), ...diskOf(pod['ephemeral-storage']) })
        history.add(at, { kind: 'pod', name: `${namespace}/${name}`, node }, sample)
        join({ kind: 'namespace', name: namespace }, sample)
        const workload = owners.of(uid)
        if (workload) join({ kind: 'workload', name: workload }, sample)
        for (const container of pod.containers)
          history.add(
            at,
            { kind: 'container', name: `${namespace}/${name}/${container.name}`, node },
            sampleOf(container, diskOf(container.rootfs)),
          )
      }
    }
    for (const { subject, samples } of groups.values()) history.add(at, subject, sum(samples))
    speeds.forget(elapsed - 10 * PACE)
    history.trim(at)
  }

  const round = async (signal: AbortSignal) => {
    const before = cpuTime()
    const { items } = await client.list(nodeKind, { signal })
    const silent: string[] = []
    const answers = await mapLimit(items, AT_ONCE, async ({ metadata: { name } }) => {
      try {
        return { node: name, summary: await ask(name, signal) }
      } catch {
        silent.push(name)
        return null
      }
    })
    const told = answers.filter((answer) => answer !== null)
    await owners.learn(
      told.flatMap(({ summary }) => summary.pods.map(({ podRef }) => podRef.uid)),
      signal,
    )
    const at = clock.now()
    record(at, told)
    status = { measuredAt: at, nodes: items.length, silent, lastRoundMs: cpuTime() - before }
  }

  const base = component(async (stack, stopping) => {
    const damaged = (error: unknown) => logger.warn('the history of figures cannot be read and begins anew', { error: messageOf(error) })
    let busy: Promise<void> | null = null
    const once = (work: () => Promise<void>, what: string) => {
      // A round that takes longer than the pace is not overtaken by the next.
      busy ??= work()
        .catch((error: unknown) => {
          if (!stopping.aborted) logger.warn(what, { error: messageOf(error) })
        })
        .finally(() => (busy = null))
    }
    const write = async () => {
      diskBytes = await writeHistory(dir, history)
    }
    stack.defer(async () => {
      await busy
      if (status.measuredAt !== null)
        await write().catch((error: unknown) => logger.warn('the history of figures was not written', { error: messageOf(error) }))
    })
    let written = clock.monotonic()
    const sample = async () => {
      await round(stopping)
      if (clock.monotonic() - written < WRITE) return
      written = clock.monotonic()
      await write()
    }
    const tick = () => once(sample, 'figures were not measured')
    stack.use(clock.setInterval(tick, PACE))
    // Nobody waits for the past to be read: the plane is ready before.
    once(async () => {
      diskBytes = await readHistory(dir, history, damaged)
      await sample()
    }, 'figures were not measured')
  })

  return componentWith(base, {
    handlers: {
      'metrics.history': (asked) => history.history(asked, clock.now()),
      'metrics.top': (asked) => history.top(asked, clock.now()),
      'metrics.status': () => ({ ...status, series: history.size, memoryBytes: history.bytes, diskBytes }),
    },
  })
}

function diskOf(of: { readonly usedBytes?: number } | undefined): Sample {
  return of?.usedBytes === undefined ? {} : { disk: of.usedBytes }
}
