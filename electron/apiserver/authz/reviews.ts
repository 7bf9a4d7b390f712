/** Answers to "may …?" (authorization.k8s.io/v1). What is asked has been validated by the kinds' own rules. */
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../../api/authorization/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { badRequest } from '../../machinery/status.ts'
import type { Attributes, Authorizer, Responder, UserInfo } from '../types.ts'
import { nodeOf } from './node-identity.ts'
import type { RbacPolicy } from './policy.ts'
import { fieldSelectorText, labelSelectorText } from './selectors.ts'

const GROUP = 'authorization.k8s.io'

/** `asksWebhooks`: what users may do is not known from rules alone. */
export function reviewResponders(
  policy: RbacPolicy,
  authorize: Authorizer,
  asksWebhooks: () => boolean = () => false,
): Readonly<Record<string, Responder>> {
  const review = async (object: KubeObject, user: UserInfo, spec: SubjectAccessReviewSpec) => {
    const { allowed, denied, reason, error } = await authorize(attributesOf(user, spec))
    const why = { ...(reason ? { reason } : {}), ...(error ? { evaluationError: error } : {}) }
    return { ...object, spec, status: { allowed, ...(denied ? { denied } : {}), ...why } }
  }
  return {
    [`subjectaccessreviews.${GROUP}`]: async (object) => {
      const { spec } = object as SubjectAccessReview
      return review(object, subjectOf(spec), spec)
    },
    [`localsubjectaccessreviews.${GROUP}`]: async (object) => {
      const { spec } = object as LocalSubjectAccessReview
      return review(object, subjectOf(spec), spec)
    },
    [`selfsubjectaccessreviews.${GROUP}`]: async (object, { user }) => {
      const { spec } = object as SelfSubjectAccessReview
      return review(object, user, spec)
    },
    [`selfsubjectrulesreviews.${GROUP}`]: async (object, { user }) => {
      const { spec } = object as SelfSubjectRulesReview
      if (!spec.namespace) throw badRequest('no namespace on request')
      return { ...object, status: rulesStatus(policy, user, spec.namespace, asksWebhooks()) }
    },
  }
}

function rulesStatus(policy: RbacPolicy, user: UserInfo, namespace: string, asksWebhooks: boolean): SelfSubjectRulesReview['status'] {
  const { rules, errors } = policy.rulesFor(user, namespace)
  if (nodeOf(user) !== null) errors.push('node authorizer does not support user rule resolution')
  if (asksWebhooks) errors.push('webhook authorizer does not support user rule resolution')
  return {
    resourceRules: rules.flatMap(({ verbs, apiGroups = [], resources = [], resourceNames }) =>
      resources.length ? [{ verbs, apiGroups, resources, ...(resourceNames ? { resourceNames } : {}) }] : [],
    ),
    nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs = [] }) => (nonResourceURLs.length ? [{ verbs, nonResourceURLs }] : [])),
    incomplete: errors.length > 0,
    ...(errors.length ? { evaluationError: errors.join('; ') } : {}),
  }
}

function subjectOf({ user = '', groups = [], uid, extra }: SubjectAccessReviewSpec): UserInfo {
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
}

function attributesOf(user: UserInfo, spec: SubjectAccessReviewSpec): Attributes {
  const { resourceAttributes: asked, nonResourceAttributes } = spec
  if (!asked) return { user, verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' }
  const { group = '', version = '', resource = '', subresource = '', namespace = '', name = '', verb = '' } = asked
  const fieldSelector = fieldSelectorText(asked.fieldSelector)
  const labelSelector = labelSelectorText(asked.labelSelector)
  const selectors = { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) }
  return { user, verb, path: '', resource: { group, version, resource, subresource, namespace, name, ...selectors } }
}
