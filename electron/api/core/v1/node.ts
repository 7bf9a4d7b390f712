import { ageColumn, joined } from '../../columns.ts'
import { defineKind, type Column } from '../../kind.ts'
import { validateNode, validateNodeUpdate } from './node-validation.ts'
import { defaultResourceList } from './resource-list.ts'
import type { Node, NodeSpec } from './types.gen.ts'

const ROLE_PREFIX = 'node-role.kubernetes.io/'
const ROLE = 'kubernetes.io/role'

const columns: readonly Column<Node>[] = [
  { name: 'Status', type: 'string', description: 'Whether it is ready and takes new pods', value: nodeStatusText },
  { name: 'Roles', type: 'string', description: 'Roles by its labels', value: (node) => joined(nodeRoles(node)) },
  ageColumn,
  { name: 'Version', type: 'string', description: 'Version of its kubelet', value: ({ status }) => status.nodeInfo?.kubeletVersion ?? '' },
  {
    name: 'Internal-IP',
    type: 'string',
    priority: 1,
    description: 'First address within the cluster',
    value: (node) => addressOf(node, 'InternalIP'),
  },
  {
    name: 'External-IP',
    type: 'string',
    priority: 1,
    description: 'First address from outside',
    value: (node) => addressOf(node, 'ExternalIP'),
  },
  {
    name: 'OS-Image',
    type: 'string',
    priority: 1,
    description: 'Operating system',
    value: ({ status }) => status.nodeInfo?.osImage || '<unknown>',
  },
  {
    name: 'Kernel-Version',
    type: 'string',
    priority: 1,
    description: 'Version of its kernel',
    value: ({ status }) => status.nodeInfo?.kernelVersion || '<unknown>',
  },
  {
    name: 'Container-Runtime',
    type: 'string',
    priority: 1,
    description: 'Runtime of its containers, with its version',
    value: ({ status }) => status.nodeInfo?.containerRuntimeVersion || '<unknown>',
  },
]

/** "Ready", "NotReady,SchedulingDisabled", "Unknown". */
export function nodeStatusText({ spec, status }: Node): string {
  const ready = status.conditions?.findLast(({ type }) => type === 'Ready')
  const state = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec.unschedulable ? `${state},SchedulingDisabled` : state
}

/** Sorted, each once. */
export function nodeRoles({ metadata }: Node): string[] {
  const roles = Object.entries(metadata.labels ?? {}).map(([key, value]) =>
    key.startsWith(ROLE_PREFIX) ? key.slice(ROLE_PREFIX.length) : key === ROLE ? value : '',
  )
  return [...new Set(roles.filter(Boolean))].sort()
}

function addressOf({ status }: Node, type: string): string {
  return status.addresses?.find((address) => address.type === type)?.address ?? '<none>'
}

/** The first of `podCIDRs` is `podCIDR`; if they differ, `podCIDR` was written by one who knows of one block only. */
function defaultPodCidrs(spec: NodeSpec): void {
  const { podCIDR, podCIDRs } = spec
  const first = podCIDRs?.[0]
  if (podCIDR !== undefined && podCIDR !== first) spec.podCIDRs = [podCIDR]
  else if (podCIDR === undefined && first !== undefined) spec.podCIDR = first
}

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  model: 'io.k8s.api.core.v1.Node',
  subresources: { proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'NodeProxyOptions' }, status: true },
  columns,
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false) },
  strategy: {
    defaults({ spec, status }) {
      defaultPodCidrs(spec)
      defaultResourceList(status.capacity)
      if (status.capacity) status.allocatable ??= { ...status.capacity }
      defaultResourceList(status.allocatable)
    },
    validate: validateNode,
    validateUpdate: validateNodeUpdate,
    validateStatusUpdate: (node, old) => [...validateNode(node), ...validateNodeUpdate(node, old)],
  },
})
