import { defineKind } from '../../kind.ts'
import { pathSegmentName } from '../../values/names.ts'
import { bindingColumns, defaultBinding, validateBinding, validateBindingUpdate } from './bindings.ts'
import type { ClusterRoleBinding } from './types.gen.ts'

export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  resource: 'clusterrolebindings',
  namespaced: false,
  model: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  validateName: pathSegmentName,
  columns: bindingColumns,
  strategy: {
    defaults: defaultBinding,
    validate: (binding) => validateBinding(binding, ['ClusterRole'], false),
    validateUpdate: validateBindingUpdate,
    allowCreateOnUpdate: true,
  },
})
