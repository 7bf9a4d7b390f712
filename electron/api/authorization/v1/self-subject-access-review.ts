import { defineKind } from '../../kind.ts'
import { validateAttributes, validateNoMetadata } from './attributes.ts'
import type { SelfSubjectAccessReview } from './types.gen.ts'

/** Asks whether the asker may do something. */
export const selfSubjectAccessReview = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  resource: 'selfsubjectaccessreviews',
  namespaced: false,
  model: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
  verbs: ['create'],
  strategy: { validate: ({ metadata, spec }) => [...validateAttributes(spec), ...validateNoMetadata(metadata)] },
})
