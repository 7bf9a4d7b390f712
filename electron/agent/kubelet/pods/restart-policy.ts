/** Whether an ended container is started again. Source: kubernetes `kubelet/container/helpers.go`, KEP-5307. */
import type { Container, Pod } from '../../../api/core/v1/types.gen.ts'
import type { RuntimeContainer } from '../pleg/runtime-pod.ts'

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never'

/** The container's own policy before the pod's; a plain init container of a pod that always restarts is retried until it succeeds. */
export function policyOf(pod: Pod, container: Container): RestartPolicy {
  const own = container.restartPolicy
  if (own === 'Always' || own === 'OnFailure' || own === 'Never') return own
  const policy = pod.spec.restartPolicy ?? 'Always'
  const isInit = pod.spec.initContainers?.includes(container) ?? false
  return isInit && policy === 'Always' ? 'OnFailure' : policy
}

/** What the policy says of this exit. */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    if (action !== 'Restart' || !exitCodes) continue
    const listed = (exitCodes.values ?? []).includes(exitCode)
    if (listed === (exitCodes.operator === 'In')) return true
  }
  const policy = policyOf(pod, container)
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** Whether the container is to be started now, `latest` being the newest one of its name. */
export function shouldStart(pod: Pod, container: Container, latest: RuntimeContainer | undefined): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false
  if (!latest) return true
  if (latest.state === 'running') return false
  // One that was made but never ran, or that the runtime lost track of, says nothing about its program.
  if (latest.state !== 'exited') return true
  return restartsAfter(pod, container, latest.exitCode)
}

/** Whether any of the pod's containers may run again after it ended. */
export function everRestarts(pod: Pod): boolean {
  const main = pod.spec.containers
  return main.some((container) => policyOf(pod, container) !== 'Never' || (container.restartPolicyRules?.length ?? 0) > 0)
}
