/** What is asked, as a SubjectAccessReview says it. Source: apiserver `plugin/pkg/authorizer/webhook`. */
import type { SubjectAccessReviewSpec } from '../../api/authorization/v1/types.gen.ts'
import type { Attributes } from '../types.ts'
import { fieldRequirements, labelRequirements } from './selectors.ts'

export function reviewSpec({ user, verb, resource, path }: Attributes): SubjectAccessReviewSpec {
  const { name, groups, uid, extra } = user
  const subject = {
    ...(name ? { user: name } : {}),
    ...(groups.length > 0 ? { groups: [...groups] } : {}),
    ...(uid ? { uid } : {}),
    ...(extra ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) } : {}),
  }
  if (!resource) return { nonResourceAttributes: { path, verb }, ...subject }
  const fields = fieldRequirements(resource.fieldSelector ?? '')
  const labels = labelRequirements(resource.labelSelector ?? '')
  const { namespace, group, version, subresource } = resource
  return {
    resourceAttributes: {
      ...(namespace ? { namespace } : {}),
      verb,
      ...(group ? { group } : {}),
      ...(version ? { version } : {}),
      resource: resource.resource,
      ...(subresource ? { subresource } : {}),
      ...(resource.name ? { name: resource.name } : {}),
      ...(fields.length > 0 ? { fieldSelector: { requirements: fields } } : {}),
      ...(labels.length > 0 ? { labelSelector: { requirements: labels } } : {}),
    },
    ...subject,
  }
}
