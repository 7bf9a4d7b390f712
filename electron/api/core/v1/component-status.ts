import { defineKind } from '../../kind.ts'
import type { ComponentCondition, ComponentStatus } from './types.gen.ts'

/** Whether a part of the control plane is well, looked up when somebody asks. */
export const componentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  resource: 'componentstatuses',
  shortNames: ['cs'],
  namespaced: false,
  model: 'io.k8s.api.core.v1.ComponentStatus',
  verbs: ['get', 'list'],
  answered: true,
  deprecationWarning: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    { name: 'Status', type: 'string', description: 'Whether the component is healthy', value: (object) => statusOf(healthy(object)) },
    {
      name: 'Message',
      type: 'string',
      description: 'What the component says of itself',
      value: (object) => healthy(object)?.message ?? '',
    },
    { name: 'Error', type: 'string', description: 'Why its health is not known', value: (object) => healthy(object)?.error ?? '' },
  ],
})

function healthy({ conditions }: ComponentStatus): ComponentCondition | undefined {
  return conditions?.find(({ type }) => type === 'Healthy')
}

function statusOf(condition: ComponentCondition | undefined): string {
  if (!condition) return 'Unknown'
  return condition.status === 'True' ? 'Healthy' : 'Unhealthy'
}
