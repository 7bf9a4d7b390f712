import { defineKind } from '../../kind.ts'
import type { TokenReview } from './types.gen.ts'

/** Asks whose token this is. */
export const tokenReview = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  resource: 'tokenreviews',
  namespaced: false,
  model: 'io.k8s.api.authentication.v1.TokenReview',
  verbs: ['create'],
})
