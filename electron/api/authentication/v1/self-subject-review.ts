import { defineKind } from '../../kind.ts'
import type { SelfSubjectReview } from './types.gen.ts'

/** Asks who the asker is. */
export const selfSubjectReview = defineKind<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  resource: 'selfsubjectreviews',
  namespaced: false,
  model: 'io.k8s.api.authentication.v1.SelfSubjectReview',
  verbs: ['create'],
  columns: [
    { name: 'Username', type: 'string', description: 'Name of the user', value: ({ status }) => status.userInfo.username ?? '' },
    { name: 'UID', type: 'string', description: 'Identity of the user behind the name', value: ({ status }) => status.userInfo.uid ?? '' },
    {
      name: 'Groups',
      type: 'string',
      description: 'Groups of the user',
      value: ({ status }) => (status.userInfo.groups ?? []).join(','),
    },
  ],
})
