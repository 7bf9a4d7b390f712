import { defineKind } from '../../kind.ts'
import { invalid, type FieldError } from '../../values/field-error.ts'
import { validateAttributes, validateNoMetadata, validateSubject } from './attributes.ts'
import type { LocalSubjectAccessReview } from './types.gen.ts'

/** Asks whether somebody may do something in this namespace. */
export const localSubjectAccessReview = defineKind<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  resource: 'localsubjectaccessreviews',
  namespaced: true,
  model: 'io.k8s.api.authorization.v1.LocalSubjectAccessReview',
  verbs: ['create'],
  strategy: { validate: validateLocal },
})

function validateLocal({ metadata, spec }: LocalSubjectAccessReview): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  const out = [...validateAttributes(spec), ...validateSubject(spec), ...validateNoMetadata(metadata, ['namespace'])]
  if (resource && (resource.namespace ?? '') !== (metadata.namespace ?? '')) {
    out.push(invalid('spec.resourceAttributes.namespace', resource.namespace ?? '', 'must match metadata.namespace'))
  }
  return path ? [...out, invalid('spec.nonResourceAttributes', path, 'disallowed on this kind of request')] : out
}
