/** What a job's policy says of a failed pod (KEP-3329). Source: kubernetes `pkg/controller/job/pod_failure_policy.go`. */
import type { PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from '../../api/batch/v1/types.gen.ts'
import type { ContainerStatus, Pod, PodCondition } from '../../api/core/v1/types.gen.ts'

export interface PolicyMatch {
  readonly action: PodFailurePolicyRule['action']
  /** What matched, for people. */
  readonly message: string
}

/** The first rule that fits; null if none does. */
export function matchFailurePolicy(policy: PodFailurePolicy | undefined, pod: Pod): PolicyMatch | null {
  for (const [i, { action, onExitCodes, onPodConditions }] of (policy?.rules ?? []).entries()) {
    const { namespace, name } = pod.metadata
    if (onExitCodes) {
      const container = matchExitCodes(pod, onExitCodes)
      if (!container) continue
      const code = container.state?.terminated?.exitCode
      const what = `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${code}`
      return { action, message: `${what} matching ${action} rule at index ${i}` }
    }
    const condition = matchConditions(pod, onPodConditions)
    if (!condition) continue
    return { action, message: `Pod ${namespace}/${name} has condition ${condition.type} matching ${action} rule at index ${i}` }
  }
  return null
}

function matchExitCodes({ status }: Pod, requirement: PodFailurePolicyOnExitCodesRequirement): ContainerStatus | undefined {
  const { containerName, operator, values } = requirement
  return [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find(({ name, state }) => {
    const code = state?.terminated?.exitCode
    if (!code || (containerName !== undefined && containerName !== name)) return false
    return values.includes(code) === (operator === 'In')
  })
}

function matchConditions({ status }: Pod, patterns: PodFailurePolicyRule['onPodConditions']): PodCondition | undefined {
  return (status.conditions ?? []).find((condition) =>
    patterns?.some(({ type, status: wanted }) => type === condition.type && wanted === condition.status),
  )
}
