import { createdAtColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { required, type FieldError } from '../../values/field-error.ts'
import { pathSegmentName } from '../../values/names.ts'
import { validateRules, writeRules } from './rules.ts'
import type { AggregationRule, ClusterRole } from './types.gen.ts'

export const clusterRole = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  resource: 'clusterroles',
  namespaced: false,
  model: 'io.k8s.api.rbac.v1.ClusterRole',
  validateName: pathSegmentName,
  columns: [createdAtColumn],
  strategy: {
    defaults: writeRules,
    validate: ({ rules, aggregationRule }) => [
      ...validateRules(rules, false),
      ...(aggregationRule ? validateAggregation(aggregationRule) : []),
    ],
    allowCreateOnUpdate: true,
  },
})

function validateAggregation({ clusterRoleSelectors: selectors = [] }: AggregationRule): FieldError[] {
  const at = 'aggregationRule.clusterRoleSelectors'
  if (!selectors.length) return [required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
  return selectors.flatMap((selector, i) => validateLabelSelector(selector, `${at}[${i}]`))
}
