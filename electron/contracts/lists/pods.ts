/** Pods as a list reads them. */
import type { Container, ContainerStatus, Pod } from '../../api/core/v1/types.gen.ts'
import { facts, type Around, type ListFacts } from './facts.ts'
import { podView } from './pod-status.ts'
import { TONE_RANK } from './tone.ts'

const DAY_MS = 86_400_000
const view = (pod: Pod, { now }: Pick<Around, 'now'>) => podView(pod, now)

const ipKey = (ip: string | undefined) =>
  (ip ?? '')
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.')

export const POD_FACTS: ListFacts<Pod> = facts<Pod>({
  keys: {
    ready: (pod, around) => view(pod, around).ready - view(pod, around).total,
    status: (pod, around) => `${TONE_RANK[view(pod, around).tone]}${view(pod, around).word}`,
    restarts: (pod, around) => -view(pod, around).restarts,
    node: (pod) => pod.spec.nodeName ?? '',
    ip: (pod) => ipKey(pod.status?.podIP),
  },
  chips: {
    failing: (pod, around) => view(pod, around).tone === 'err',
    waiting: (pod, around) => view(pod, around).tone === 'warn',
    starting: (pod, around) => view(pod, around).tone === 'busy',
    restarted: (pod, around) => {
      const { lastRestart } = view(pod, around)
      return lastRestart !== undefined && around.now - Date.parse(lastRestart) < DAY_MS
    },
  },
  groups: { node: (pod) => pod.spec.nodeName ?? '', status: (pod, around) => view(pod, around).word },
  first: (pod, around) => Math.min(3, view(pod, around).rank),
  words: (pod, around) => [pod.spec.nodeName, pod.status?.podIP, view(pod, around).word, ...pod.spec.containers.map((c) => c.image)],
  slim: slimPod,
  moves: (pod, now) => podView(pod, now).tone === 'busy',
})

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

/** A pod with what `podView`, its requests and a row's cells read. */
export function slimPod(pod: Pod): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels, annotations, ownerReferences } = pod.metadata
  const container = annotations?.[DEFAULT_CONTAINER]
  const { initContainers, containers, nodeName } = pod.spec
  const { phase, reason, message, podIP, startTime, conditions, containerStatuses, initContainerStatuses } = pod.status ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, uid, resourceVersion, creationTimestamp },
      ...given({ namespace, deletionTimestamp, labels, ownerReferences }),
      ...(container ? { annotations: { [DEFAULT_CONTAINER]: container } } : {}),
    },
    spec: {
      ...given({ nodeName, initContainers: initContainers?.map(slimContainer) }),
      containers: containers.map(slimContainer),
    },
    status: given({
      ...{ phase, reason, message, podIP, startTime },
      conditions: conditions?.filter((c) => c.type === 'PodScheduled' || c.type === 'Ready'),
      containerStatuses: containerStatuses?.map(slimStatus),
      initContainerStatuses: initContainerStatuses?.map(slimStatus),
    }) as Pod['status'],
  }
}

const slimContainer = ({ name, image, resources, restartPolicy }: Container): Container => ({
  name,
  resources,
  ...given({ image, restartPolicy }),
})
const slimStatus = ({ name, ready, restartCount, state, lastState, started }: ContainerStatus): ContainerStatus => ({
  ...{ name, ready, restartCount, state, lastState, image: '', imageID: '' },
  ...given({ started }),
})

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the properties that are not there. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}
