/** Why a pod is in trouble, in a sentence with numbers, and the ways out. */
import type { ContainerStatus, Event, Pod } from '../../../electron/api/core/v1/types.gen.ts'
import { t, tn } from '../i18n/index.ts'
import { pullCause, type PullReason } from './pull-cause.ts'
import { bytes, memoryQuantity, parseQuantity } from './quantity.ts'
import { podView } from './pod-status.ts'
import { isTrouble } from './tone.ts'

export type WayOut =
  /** Raise the container's memory limit in its Deployment. */
  | { readonly id: 'raise-memory'; readonly container: string; readonly from: string; readonly to: string; readonly label: string }
  | { readonly id: 'previous-logs'; readonly container: string; readonly label: string }
  | { readonly id: 'logs'; readonly container: string; readonly label: string }
  | { readonly id: 'change-image'; readonly container: string; readonly image: string; readonly label: string }
  | { readonly id: 'import-image'; readonly label: string }
  | { readonly id: 'edit'; readonly label: string }
  | { readonly id: 'add-machine'; readonly label: string }
  | { readonly id: 'open-machine'; readonly machine: string; readonly label: string }
  | { readonly id: 'delete-now'; readonly label: string }
  | { readonly id: 'events'; readonly label: string }

export interface Cause {
  readonly tone: 'err' | 'warn'
  readonly title: string
  readonly text: string
  readonly ways: readonly WayOut[]
}

/** Null while nothing is wrong. `events` of the pod add what the status does not say. */
export function podCause(pod: Pod, now: number, events: readonly Event[] = []): Cause | null {
  const view = podView(pod, now)
  if (!isTrouble(view.tone)) return null
  const tone = view.tone === 'err' ? 'err' : 'warn'
  const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (s) => s.name === view.container,
  )
  const word = view.word.replace(/^Init:/, '')
  const container = view.container ?? ''
  const message = view.message ?? ''
  const logs: WayOut[] = container
    ? [
        {
          id: status?.state?.running ? 'logs' : 'previous-logs',
          container,
          label: t(status?.state?.running ? 'way.logs' : 'way.previousLogs'),
        },
      ]
    : []
  const events_: WayOut = { id: 'events', label: t('way.events') }
  const edit: WayOut = { id: 'edit', label: t('way.edit') }

  switch (word) {
    case 'OOMKilled':
      return oomCause(pod, container, status, tone, logs)
    case 'CrashLoopBackOff':
    case 'Error':
    case 'ContainerCannotRun':
    case 'StartError':
      return {
        tone,
        title:
          view.exitCode === undefined ? t('cause.crash.title', { container }) : t('cause.exit.title', { container, code: view.exitCode }),
        text: [
          meaningOf(view.exitCode),
          view.restarts ? tn('cause.crash.times', view.restarts) : '',
          status?.lastState?.terminated?.message ?? message,
        ]
          .filter(Boolean)
          .join(' '),
        ways: [...logs, edit],
      }
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
    case 'ImageInspectError':
      return imageCause(pod, container, word, pullMessage(message, events), tone)
    case 'CreateContainerConfigError':
      return { tone, title: t('cause.config.title', { container }), text: message, ways: [edit, events_] }
    case 'CreateContainerError':
    case 'RunContainerError':
      return { tone, title: t('cause.create.title', { container }), text: message, ways: [edit, events_] }
    case 'Pending':
      return { tone, title: t('cause.pending.title'), text: message, ways: [{ id: 'add-machine', label: t('way.addMachine') }, events_] }
    case 'Terminating':
      return {
        tone,
        title: t('cause.stuck.title'),
        text: pod.metadata.finalizers?.length
          ? t('cause.stuck.finalizers', { names: pod.metadata.finalizers.join(', ') })
          : t('cause.stuck.text', { node: pod.spec.nodeName ?? '' }),
        ways: [...toMachine(pod), { id: 'delete-now', label: t('way.deleteNow') }],
      }
    case 'NotReady':
      return { tone, title: t('cause.notReady.title', { container }), text: probeMessage(events), ways: [...logs, events_] }
    case 'Evicted':
      return { tone, title: t('cause.evicted.title'), text: message, ways: [...toMachine(pod)] }
    case 'NodeLost':
    case 'Unknown':
      return { tone, title: t('cause.node.title', { node: pod.spec.nodeName ?? '' }), text: t('cause.node.text'), ways: toMachine(pod) }
    default:
      return { tone, title: t('cause.other.title', { word: view.word }), text: message, ways: [...logs, events_] }
  }
}

function oomCause(pod: Pod, container: string, status: ContainerStatus | undefined, tone: 'err' | 'warn', logs: WayOut[]): Cause {
  const limit = pod.spec.containers.find((c) => c.name === container)?.resources?.limits?.['memory']
  const size = parseQuantity(limit)
  if (!limit || Number.isNaN(size)) {
    return { tone, title: t('cause.oom.node'), text: t('cause.oom.nodeText', { node: pod.spec.nodeName ?? '' }), ways: logs }
  }
  const to = memoryQuantity(size * 1.5)
  return {
    tone,
    title: t('cause.oom.title', { container }),
    text: tn('cause.oom.text', status?.restartCount ?? 0, { limit: bytes(size) }),
    ways: [{ id: 'raise-memory', container, from: limit, to, label: t('way.raiseMemory', { limit: bytes(size * 1.5) }) }, ...logs],
  }
}

/** What can be put right by importing the image on the machine. */
const IMPORTABLE: readonly PullReason[] = ['missing', 'denied', 'busy', 'unreachable', 'never']

function imageCause(pod: Pod, container: string, word: string, message: string, tone: 'err' | 'warn'): Cause {
  const image = imageOf(pod, container)
  const { reason, text } = pullCause(word, message, image, pod.spec.nodeName ?? '')
  return {
    tone,
    title: t('cause.image.title', { image }),
    text,
    ways: [
      { id: 'change-image', container, image, label: t('way.changeImage') },
      ...(IMPORTABLE.includes(reason) ? [{ id: 'import-image' as const, label: t('way.importImage') }] : []),
      { id: 'events', label: t('way.events') },
    ],
  }
}

const toMachine = (pod: Pod): WayOut[] =>
  pod.spec.nodeName ? [{ id: 'open-machine', machine: pod.spec.nodeName, label: t('way.openMachine', { name: pod.spec.nodeName }) }] : []

const imageOf = (pod: Pod, container: string) =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((c) => c.name === container)?.image ?? ''

/** The back-off's own message says less than the event of the pull that failed. */
function pullMessage(message: string, events: readonly Event[]): string {
  const failed = events.filter((e) => e.reason === 'Failed' && e.message?.includes('pull')).at(-1)
  return failed?.message ?? message
}

function probeMessage(events: readonly Event[]): string {
  return events.filter((e) => e.reason === 'Unhealthy').at(-1)?.message ?? t('cause.notReady.text')
}

/** What common exit codes stand for; signals are 128 and their number. */
function meaningOf(code: number | undefined): string {
  switch (code) {
    case 126:
      return t('exit.126')
    case 127:
      return t('exit.127')
    case 134:
      return t('exit.134')
    case 137:
      return t('exit.137')
    case 139:
      return t('exit.139')
    case 143:
      return t('exit.143')
    case 0:
      return t('exit.0')
    default:
      return ''
  }
}
