/** What a resource's name says about it. Source: kubernetes `apis/core/helper`. */
import { qualifiedName } from '../../values/names.ts'

const REQUESTS = 'requests.'
const HUGE_PAGES = 'hugepages-'

const CONTAINER_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage'])
const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]
const INTEGER_RESOURCES = new Set(COUNTED)
const QUOTA_RESOURCES = new Set([
  ...COUNTED,
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])
const STANDARD_RESOURCES = new Set([...QUOTA_RESOURCES, 'storage'])

export const isHugePages = (name: string) => name.startsWith(HUGE_PAGES)
const isQuotaHugePages = (name: string) => isHugePages(name) || name.startsWith(`${REQUESTS}${HUGE_PAGES}`)

/** Without a domain, or of a domain of Kubernetes' own. */
export const isNativeResource = (name: string) => !name.includes('/') || name.includes('kubernetes.io/')

/** Of a domain of somebody's own: counted in whole units and never overcommitted. */
export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith(REQUESTS) && qualifiedName(`${REQUESTS}${name}`).length === 0
}

/** Whether a limit may be more than the request. */
export const isOvercommitAllowed = (name: string) => isNativeResource(name) && !isHugePages(name)

export const isStandardResource = (name: string) => STANDARD_RESOURCES.has(name) || isQuotaHugePages(name)
export const isStandardContainerResource = (name: string) => CONTAINER_RESOURCES.has(name) || isHugePages(name)
export const isStandardQuotaResource = (name: string) => QUOTA_RESOURCES.has(name) || isQuotaHugePages(name)
export const isIntegerResource = (name: string) => INTEGER_RESOURCES.has(name) || isExtendedResource(name)

/** What may be requested for a pod as a whole (KEP-2837). */
export const POD_LEVEL_RESOURCES: readonly string[] = ['cpu', HUGE_PAGES, 'memory']
export const isPodLevelResource = (name: string) => name === 'cpu' || name === 'memory' || isHugePages(name)

/** "2Mi" of "hugepages-2Mi". */
export const hugePageSize = (name: string) => name.slice(HUGE_PAGES.length)
