import { defineKind } from '../../kind.ts'
import { pathSegmentName } from '../../values/names.ts'
import { bindingColumns, defaultBinding, validateBinding, validateBindingUpdate } from './bindings.ts'
import type { RoleBinding } from './types.gen.ts'

export const roleBinding = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  resource: 'rolebindings',
  namespaced: true,
  model: 'io.k8s.api.rbac.v1.RoleBinding',
  validateName: pathSegmentName,
  columns: bindingColumns,
  strategy: {
    defaults: defaultBinding,
    validate: (binding) => validateBinding(binding, ['Role', 'ClusterRole'], true),
    validateUpdate: validateBindingUpdate,
    allowCreateOnUpdate: true,
  },
})
