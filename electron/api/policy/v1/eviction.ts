import { defineSubresourceKind } from '../../kind.ts'
import type { Eviction } from './types.gen.ts'

/** Asks for a pod to go, if the disruption budgets allow it. */
export const eviction = defineSubresourceKind<Eviction>({
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  // kubectl up to 1.21 drains with it.
  accepts: ['v1beta1'],
  model: 'io.k8s.api.policy.v1.Eviction',
})
