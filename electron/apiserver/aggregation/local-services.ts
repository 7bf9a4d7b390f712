/**
 * The APIServices of what this server serves itself, so that who asks for all of them finds every group's version. Source:
 * kube-aggregator `pkg/controllers/autoregister`, kube-apiserver's table of priorities.
 */
import { apiService } from '../../api/apiregistration/v1/api-service.ts'
import type { APIService } from '../../api/apiregistration/v1/types.ts'
import { apiVersionOf, type AnyKind } from '../../api/kind.ts'
import type { Draft } from '../../api/meta/v1/object.ts'

export const MANAGED = 'kube-aggregator.kubernetes.io/automanaged'

/** By group: how it stands among groups. Those of custom resources come last. */
const GROUPS: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 9_900,
}
const VERSIONS: Readonly<Record<string, number>> = { v1: 15, 'autoscaling/v2': 30, 'flowcontrol.apiserver.k8s.io/v1': 21, '/v1': 1 }
const OTHERS = { group: 1000, version: 100 }

/** One for each group's version but their own. */
export function localServices(kinds: Iterable<AnyKind>): Draft<APIService>[] {
  const versions = new Map<string, AnyKind>()
  for (const kind of kinds) if (kind.group !== apiService.group) versions.set(apiVersionOf(kind), versions.get(apiVersionOf(kind)) ?? kind)
  return [...versions.values()].map(({ group, version, custom }) => {
    const versionPriority = custom ? OTHERS.version : (VERSIONS[`${group}/${version}`] ?? VERSIONS[version] ?? OTHERS.version)
    return {
      metadata: { name: `${version}.${group}`, labels: { [MANAGED]: custom ? 'true' : 'onstart' } },
      spec: { ...(group ? { group } : {}), version, groupPriorityMinimum: GROUPS[group] ?? OTHERS.group, versionPriority },
    }
  })
}

/** What to make, and whose groups are no longer served. What somebody registered otherwise stays as it is. */
export function difference(
  wanted: readonly Draft<APIService>[],
  present: readonly APIService[],
): { missing: Draft<APIService>[]; gone: string[] } {
  const names = new Set(present.map(({ metadata }) => metadata.name))
  const served = new Set(wanted.map(({ metadata }) => metadata?.name))
  return {
    missing: wanted.filter(({ metadata }) => !names.has(metadata?.name ?? '')),
    gone: present
      .filter(({ metadata, spec }) => metadata.labels?.[MANAGED] !== undefined && !spec.service && !served.has(metadata.name))
      .map(({ metadata }) => metadata.name),
  }
}
