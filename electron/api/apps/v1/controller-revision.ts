import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable, nonNegative } from '../../meta/v1/validation.ts'
import { required } from '../../values/field-error.ts'
import type { ControllerRevision } from './types.gen.ts'

export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  namespaced: true,
  model: 'io.k8s.api.apps.v1.ControllerRevision',
  columns: [
    { name: 'Controller', type: 'string', description: 'What it is a revision of', value: controllerText },
    { name: 'Revision', type: 'string', description: 'Its number', value: ({ revision }) => revision },
    ageColumn,
  ],
  strategy: {
    validate: ({ data, revision }) => [
      ...(data === undefined ? [required('data', 'data is mandatory')] : []),
      ...nonNegative('revision', revision),
    ],
    validateUpdate: ({ data }, old) => immutable('data', data, old.data),
  },
})

/** "daemonset.apps/web". */
function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (!owner) return '<none>'
  const group = owner.apiVersion.includes('/') ? owner.apiVersion.slice(0, owner.apiVersion.indexOf('/')) : ''
  return `${(group ? `${owner.kind}.${group}` : owner.kind).toLowerCase()}/${owner.name}`
}
