import { defineKind } from '../../kind.ts'
import { PLACEMENT_REVIEW_MODEL } from '../../schema/placement-facts.ts'
import { invalid, required } from '../../values/field-error.ts'
import type { PlacementReview } from './placement.ts'

/** Asks the scheduler about a pod that waits. */
export const placementReview = defineKind<PlacementReview>({
  group: 'infra.flotilla.dev',
  version: 'v1alpha1',
  kind: 'PlacementReview',
  resource: 'placementreviews',
  namespaced: true,
  model: PLACEMENT_REVIEW_MODEL,
  verbs: ['create'],
  strategy: {
    validate: ({ spec }) => [
      ...(spec.podName ? [] : [required('spec.podName')]),
      ...(spec.limit >= 0 ? [] : [invalid('spec.limit', spec.limit, 'must be greater than or equal to 0')]),
    ],
  },
})
