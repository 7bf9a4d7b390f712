import { defineKind } from '../../kind.ts'

import type { SelfSubjectRulesReview } from './types.gen.ts'

/** Asks what the asker may do in a namespace. */
export const selfSubjectRulesReview = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  resource: 'selfsubjectrulesreviews',
  namespaced: false,
  model: 'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
  verbs: ['create'],
})
