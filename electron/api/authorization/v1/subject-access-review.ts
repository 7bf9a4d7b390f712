import { defineKind } from '../../kind.ts'
import { validateAttributes, validateNoMetadata, validateSubject } from './attributes.ts'
import type { SubjectAccessReview } from './types.gen.ts'

/** Asks whether somebody may do something. */
export const subjectAccessReview = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  resource: 'subjectaccessreviews',
  namespaced: false,
  model: 'io.k8s.api.authorization.v1.SubjectAccessReview',
  verbs: ['create'],
  strategy: { validate: ({ metadata, spec }) => [...validateAttributes(spec), ...validateSubject(spec), ...validateNoMetadata(metadata)] },
})
