/** What an object takes of a quota. Source: kubernetes `pkg/quota/v1/evaluator/core`. */
import { podLimits, podRequests, type ResourceList } from '../../api/core/v1/pod-resources.ts'
import { isExtendedResource, isHugePages } from '../../api/core/v1/resource-names.ts'
import type { PersistentVolumeClaim, Pod, ResourceRequirements, Service } from '../../api/core/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'

/** Resources of the core group that are counted by their plain names, too. */
const PLAIN = new Set(['configmaps', 'persistentvolumeclaims', 'pods', 'replicationcontrollers', 'resourcequotas', 'secrets', 'services'])
const COMPUTE = new Set(['cpu', 'memory', 'ephemeral-storage'])
const STORAGE_CLASS = '.storageclass.storage.k8s.io/'

/** Events come and go too often. */
export function isQuotaCounted(kind: { group: string; resource: string }): boolean {
  return kind.resource !== 'events'
}

/** By name of the quota's resource: "count/deployments.apps", "requests.cpu". `now` in milliseconds since the epoch. */
export function quotaUsage(kind: { group: string; resource: string }, object: KubeObject, now: number): ResourceList {
  const name = groupResource(kind)
  const count: ResourceList = { [`count/${name}`]: '1' }
  switch (name) {
    case 'pods':
      // Ended pods are there, but take nothing.
      return isTerminal(object as Pod, now) ? count : { ...count, pods: '1', ...podUsage(object as Pod) }
    case 'services':
      return { ...count, services: '1', ...serviceUsage(object as Service) }
    case 'persistentvolumeclaims':
      return { ...count, persistentvolumeclaims: '1', ...claimUsage(object as PersistentVolumeClaim) }
    default:
      return PLAIN.has(name) ? { ...count, [name]: '1' } : count
  }
}

/** It ended, or has been told to long ago. */
export function isTerminal({ metadata, status }: Pod, now: number): boolean {
  if (status.phase === 'Failed' || status.phase === 'Succeeded') return true
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return false
  return now > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

/** Compute resources under the names that quotas have for them. */
export function computeUsage({ requests = {}, limits = {} }: ResourceRequirements): ResourceList {
  const out: ResourceList = {}
  for (const [name, quantity] of Object.entries(requests)) {
    if (COMPUTE.has(name) || isHugePages(name)) out[name] = quantity
    if (COMPUTE.has(name) || isHugePages(name) || isExtendedResource(name)) out[`requests.${name}`] = quantity
  }
  for (const [name, quantity] of Object.entries(limits)) if (COMPUTE.has(name)) out[`limits.${name}`] = quantity
  return out
}

function podUsage({ spec }: Pod): ResourceList {
  return computeUsage({ requests: podRequests(spec), limits: podLimits(spec) })
}

function serviceUsage({ spec }: Service): ResourceList {
  const ports = spec.ports ?? []
  const balanced = spec.type === 'LoadBalancer'
  if (!balanced && spec.type !== 'NodePort') return {}
  const allocates = !balanced || (spec.allocateLoadBalancerNodePorts ?? true)
  const nodePorts = allocates ? ports.length : ports.filter(({ nodePort }) => nodePort).length
  return { 'services.nodeports': String(nodePorts), ...(balanced ? { 'services.loadbalancers': '1' } : {}) }
}

function claimUsage({ spec }: PersistentVolumeClaim): ResourceList {
  const storage = spec.resources?.requests?.['storage']
  const ofClass = spec.storageClassName ? `${spec.storageClassName}${STORAGE_CLASS}` : ''
  return {
    ...(ofClass ? { [`${ofClass}persistentvolumeclaims`]: '1' } : {}),
    ...(storage === undefined ? {} : { 'requests.storage': storage }),
    ...(storage !== undefined && ofClass ? { [`${ofClass}requests.storage`]: storage } : {}),
  }
}
