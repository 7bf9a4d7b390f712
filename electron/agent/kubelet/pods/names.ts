/** How the kubelet names pods, and what it writes on containers to find them again. Source: kubernetes `kubelet/types`, `kuberuntime/labels`. */
import type { Pod } from '../../../api/core/v1/types.gen.ts'

export const POD_NAME = 'io.kubernetes.pod.name'
export const POD_NAMESPACE = 'io.kubernetes.pod.namespace'
export const POD_UID = 'io.kubernetes.pod.uid'
export const CONTAINER_NAME = 'io.kubernetes.container.name'

export const CONTAINER_HASH = 'io.kubernetes.container.hash'
export const RESTART_COUNT = 'io.kubernetes.container.restartCount'
export const MESSAGE_PATH = 'io.kubernetes.container.terminationMessagePath'
export const MESSAGE_POLICY = 'io.kubernetes.container.terminationMessagePolicy'
export const CONTAINER_PORTS = 'io.kubernetes.container.ports'
export const PRE_STOP = 'io.kubernetes.container.preStopHandler'
export const TERMINATION_GRACE = 'io.kubernetes.pod.terminationGracePeriod'

/** "web-0_default(4f1c…)", as pods are called in messages. */
export function podText({ metadata }: Pick<Pod, 'metadata'>): string {
  return `${metadata.name}_${metadata.namespace}(${metadata.uid})`
}

/** Of a container's logs, below the folder of all pods' logs. */
export function podLogDirectory({ metadata }: Pick<Pod, 'metadata'>): string {
  return `${metadata.namespace}_${metadata.name}_${metadata.uid}`
}
