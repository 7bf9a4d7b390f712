/** A pod's sandbox: its namespaces, name, DNS, ports and group of resources. Source: kubernetes `kuberuntime_sandbox*.go`. */
import { join } from 'node:path'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { aggregateContainerResources } from '../../../api/core/v1/pod-resources.ts'
import type { SandboxConfig } from '../../runtime/cri.ts'
import { SecurityProfile_ProfileType } from '../../runtime/gen/cri_pb.js'
import { POD_NAME, POD_NAMESPACE, POD_UID, podLogDirectory } from '../pods/names.ts'
import type { ResolvConf } from './dns.ts'
import { portMappings } from './ports.ts'
import { updatableResources } from './resources.ts'
import { groupsPolicy, namespaces, selinuxOptions, supplementalGroups } from './security.ts'

export interface SandboxInput {
  readonly pod: Pod
  readonly attempt: number
  readonly hostname: string
  readonly dns: ResolvConf
  /** Holds a folder per pod. */
  readonly logRoot: string
  /** Of the pod's group; null where groups cannot be made. */
  readonly cgroupParent: string | null
}

export function sandboxConfig({ pod, attempt, hostname, dns, logRoot, cgroupParent }: SandboxInput): SandboxConfig {
  const { metadata, spec } = pod
  const context = spec.securityContext ?? {}
  return {
    metadata: { name: metadata.name, namespace: metadata.namespace ?? '', uid: metadata.uid, attempt },
    // On the node's network the pod has the node's name.
    hostname: spec.hostNetwork ? '' : hostname,
    logDirectory: join(logRoot, podLogDirectory(pod)),
    dnsConfig: { servers: [...dns.servers], searches: [...dns.searches], options: [...dns.options] },
    portMappings: portMappings(pod),
    labels: { ...metadata.labels, ...podLabels(pod) },
    annotations: { ...metadata.annotations },
    linux: {
      cgroupParent: cgroupParent ?? '',
      sysctls: Object.fromEntries((context.sysctls ?? []).map(({ name, value }) => [name, value])),
      overhead: spec.overhead ? updatableResources({ requests: spec.overhead, limits: spec.overhead }) : {},
      resources: updatableResources({
        requests: aggregateContainerResources(spec, 'requests'),
        limits: aggregateContainerResources(spec, 'limits'),
      }),
      securityContext: {
        privileged: isPrivileged(pod),
        namespaceOptions: namespaces(pod),
        seccomp: { profileType: SecurityProfile_ProfileType.RuntimeDefault },
        supplementalGroups: supplementalGroups(pod),
        supplementalGroupsPolicy: groupsPolicy(pod),
        ...(context.runAsUser === undefined ? {} : { runAsUser: { value: BigInt(context.runAsUser) } }),
        ...(context.runAsGroup === undefined ? {} : { runAsGroup: { value: BigInt(context.runAsGroup) } }),
        ...(context.seLinuxOptions ? { selinuxOptions: selinuxOptions(context.seLinuxOptions) } : {}),
      },
    },
  }
}

export function podLabels({ metadata }: Pod): Record<string, string> {
  return { [POD_NAME]: metadata.name, [POD_NAMESPACE]: metadata.namespace ?? '', [POD_UID]: metadata.uid }
}

/** A pod's sandbox is privileged if one of its containers is. */
function isPrivileged({ spec }: Pod): boolean {
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
  return containers.some(({ securityContext }) => securityContext?.privileged)
}
