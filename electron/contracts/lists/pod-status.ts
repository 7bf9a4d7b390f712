/**
 * What a pod is doing, in one word and a tone. The words are the API's own reasons, as `kubectl get pods` shows them; the tone comes
 * from the reason and the exit code.
 */
import type { ContainerState, ContainerStatus, Pod } from '../../api/core/v1/types.gen.ts'
import { amount } from './quantity.ts'
import { TONE_RANK, type Tone } from './tone.ts'

export interface PodView {
  readonly word: string
  readonly tone: Tone
  readonly ready: number
  readonly total: number
  readonly restarts: number
  /** RFC 3339, of the end of the last run before this one. */
  readonly lastRestart?: string
  readonly exitCode?: number
  /** The container that the word is about. */
  readonly container?: string
  /** What the API adds to the reason. */
  readonly message?: string
  /** Sorts trouble first, then by word. */
  readonly rank: number
}

/** Reasons that mend by themselves if left alone. */
const BUSY = new Set(['ContainerCreating', 'PodInitializing', 'Pulling', 'Starting', 'Terminating'])
/** Seconds that a pod may take to become ready before that is worth a warning. */
const SETTLE_SECONDS = 60

const views = new WeakMap<Pod, PodView>()

/** The same object gives the same view; `now` (milliseconds) matters for how long a pod has been starting or ending. */
export function podView(pod: Pod, now: number): PodView {
  const known = views.get(pod)
  if (known && known.tone !== 'busy') return known
  const view = look(pod, now)
  views.set(pod, view)
  return view
}

function look(pod: Pod, now: number): PodView {
  const statuses = pod.status?.containerStatuses ?? []
  const sidecars = new Set(pod.spec.initContainers?.filter((c) => c.restartPolicy === 'Always').map((c) => c.name))
  const inits = pod.status?.initContainerStatuses ?? []
  const counted = [...statuses, ...inits.filter((s) => sidecars.has(s.name))]
  const counts = {
    ready: counted.filter((s) => s.ready).length,
    total: pod.spec.containers.length + sidecars.size,
    restarts: [...counted, ...inits.filter((s) => !sidecars.has(s.name))].reduce((sum, s) => sum + s.restartCount, 0),
    ...lastRestart([...statuses, ...inits]),
  }
  const word = phrase(pod, statuses, inits, sidecars, counts, now)
  return { ...counts, ...word, rank: TONE_RANK[word.tone] }
}

type Phrase = Pick<PodView, 'word' | 'tone' | 'exitCode' | 'container' | 'message'>

function phrase(
  pod: Pod,
  statuses: ContainerStatus[],
  inits: ContainerStatus[],
  sidecars: Set<string>,
  counts: { ready: number; total: number },
  now: number,
): Phrase {
  if (pod.metadata.deletionTimestamp) return terminating(pod, now)
  if (pod.status?.reason === 'NodeLost') return { word: 'NodeLost', tone: 'warn', ...said(pod.status.message) }
  if (pod.status?.phase === 'Failed') return failed(pod, statuses)
  if (pod.status?.phase === 'Succeeded') return { word: 'Completed', tone: 'idle' }

  const init = inits.find((s) => !initDone(s, sidecars.has(s.name)))
  if (init && inits.length) {
    const bad = badContainer(init)
    if (bad) return { ...bad, word: `Init:${bad.word}` }
    const done = inits.filter((s) => initDone(s, sidecars.has(s.name))).length
    if (pod.spec.nodeName)
      return { word: `Init ${done}/${pod.spec.initContainers?.length ?? inits.length}`, tone: 'busy', container: init.name }
  }
  const bads = statuses.flatMap((s) => badContainer(s) ?? []).toSorted((a, b) => TONE_RANK[a.tone] - TONE_RANK[b.tone])
  const worst = bads[0]
  if (worst) return worst
  if (pod.status?.phase !== 'Running') return waitingToStart(pod, statuses)
  if (pod.status.conditions?.some((c) => c.type === 'Ready' && c.reason === 'NodeStatusUnknown' && c.status !== 'True'))
    return { word: 'Unknown', tone: 'warn' }
  if (counts.ready >= counts.total) return { word: 'Running', tone: 'ok' }
  return notReady(pod, statuses, now)
}

function terminating(pod: Pod, now: number): Phrase {
  // deletionTimestamp is when the grace period ends.
  const overdue = now - Date.parse(pod.metadata.deletionTimestamp ?? '') > SETTLE_SECONDS * 1000
  return { word: 'Terminating', tone: overdue ? 'warn' : 'busy' }
}

function failed(pod: Pod, statuses: ContainerStatus[]): Phrase {
  const ended = statuses.find((s) => s.state?.terminated && s.state.terminated.exitCode !== 0)
  const terminated = ended?.state.terminated
  const word = pod.status.reason || terminated?.reason || 'Failed'
  const tone = word === 'Evicted' || word === 'Preempting' || word === 'NodeShutdown' ? 'warn' : 'err'
  return {
    word,
    tone,
    ...said(pod.status.message ?? terminated?.message),
    ...(ended && terminated ? { exitCode: terminated.exitCode, container: ended.name } : {}),
  }
}

function badContainer(status: ContainerStatus): Phrase | null {
  const { waiting, terminated } = status.state ?? {}
  const last = status.lastState?.terminated
  const about = { container: status.name }
  if (waiting?.reason && !BUSY.has(waiting.reason)) {
    const oom = waiting.reason === 'CrashLoopBackOff' && last?.reason === 'OOMKilled'
    return {
      ...about,
      word: oom ? 'OOMKilled' : waiting.reason,
      tone: 'err',
      ...said(waiting.message),
      ...(last ? { exitCode: last.exitCode } : {}),
    }
  }
  if (terminated && (terminated.exitCode !== 0 || terminated.reason === 'OOMKilled')) {
    const word = terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)
    return { ...about, word, tone: 'err', ...said(terminated.message), exitCode: terminated.exitCode }
  }
  return null
}

function waitingToStart(pod: Pod, statuses: ContainerStatus[]): Phrase {
  const scheduled = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
  if (scheduled?.reason === 'SchedulingGated') return { word: 'SchedulingGated', tone: 'idle', ...said(scheduled.message) }
  if (scheduled?.status === 'False') return { word: 'Pending', tone: 'warn', ...said(scheduled.message) }
  if (!pod.spec.nodeName) return { word: 'Pending', tone: 'busy' }
  return { word: statuses.find((s) => s.state?.waiting?.reason)?.state.waiting?.reason ?? 'Starting', tone: 'busy' }
}

function notReady(pod: Pod, statuses: ContainerStatus[], now: number): Phrase {
  if (statuses.length && statuses.every((s) => s.state?.terminated)) return { word: 'Completed', tone: 'idle' }
  const unready = statuses.find((s) => !s.ready && !s.state?.terminated)
  const since = Date.parse(unready?.state?.running?.startedAt ?? pod.status.startTime ?? '')
  const young = Number.isNaN(since) || now - since < SETTLE_SECONDS * 1000
  return { word: young ? 'Starting' : 'NotReady', tone: young ? 'busy' : 'warn', ...(unready ? { container: unready.name } : {}) }
}

function initDone(status: ContainerStatus, sidecar: boolean): boolean {
  return sidecar ? status.started === true : status.state?.terminated?.exitCode === 0
}

function lastRestart(statuses: ContainerStatus[]): { lastRestart?: string } {
  const times = statuses.filter((s) => s.restartCount > 0).map((s) => s.lastState?.terminated?.finishedAt ?? '')
  const latest = times.toSorted().at(-1)
  return latest ? { lastRestart: latest } : {}
}

const said = (message: string | undefined) => (message ? { message } : {})

export interface ContainerLook {
  readonly word: string
  readonly tone: Tone
  readonly exitCode?: number
}

/** One container's state in a word. */
export function containerView(state: ContainerState | undefined, last?: ContainerState): ContainerLook {
  if (state?.running) return { word: 'Running', tone: 'ok' }
  if (state?.terminated) {
    const { exitCode, reason } = state.terminated
    const fine = exitCode === 0 && reason !== 'OOMKilled'
    return { word: reason || (fine ? 'Completed' : 'Error'), tone: fine ? 'idle' : 'err', exitCode }
  }
  if (!state?.waiting) return { word: 'Waiting', tone: 'idle' }
  const reason = state.waiting.reason ?? 'Waiting'
  const oom = last?.terminated?.reason === 'OOMKilled' && reason === 'CrashLoopBackOff'
  const exit = last?.terminated ? { exitCode: last.terminated.exitCode } : {}
  return { word: oom ? 'OOMKilled' : reason, tone: BUSY.has(reason) || reason === 'Waiting' ? 'busy' : 'err', ...exit }
}

/** What the scheduler counts for a pod: the larger of its containers together and its largest init container (KEP-753 for sidecars). */
export function podRequests(pod: Pod): { cpu: number; memory: number } {
  const sum = { cpu: 0, memory: 0 }
  const peak = { cpu: 0, memory: 0 }
  for (const resource of ['cpu', 'memory'] as const) {
    const of = (c: { resources?: { requests?: Record<string, string> } }) => amount(c.resources?.requests?.[resource])
    let sidecars = 0
    for (const c of pod.spec.initContainers ?? []) {
      if (c.restartPolicy === 'Always') sidecars += of(c)
      else peak[resource] = Math.max(peak[resource], of(c) + sidecars)
      peak[resource] = Math.max(peak[resource], sidecars)
    }
    for (const c of pod.spec.containers) sum[resource] += of(c)
    sum[resource] = Math.max(sum[resource] + sidecars, peak[resource]) + amount(pod.spec.overhead?.[resource])
  }
  return sum
}

/** Whether a pod still holds what it asked for. */
export const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
