import { createdAtColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { pathSegmentName } from '../../values/names.ts'
import { validateRules, writeRules } from './rules.ts'
import type { Role } from './types.gen.ts'

export const role = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  resource: 'roles',
  namespaced: true,
  model: 'io.k8s.api.rbac.v1.Role',
  validateName: pathSegmentName,
  columns: [createdAtColumn],
  strategy: {
    defaults: writeRules,
    validate: ({ rules }) => validateRules(rules, true),
    allowCreateOnUpdate: true,
  },
})
