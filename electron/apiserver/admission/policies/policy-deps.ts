import type { KubeObject } from '../../../api/meta/v1/object.ts'
import type { AnyKind } from '../../../api/kind.ts'
import type { Bindings } from '../../../machinery/cel/frame.ts'
import type { Lookup } from '../../registry/lookup.ts'
import type { Resources } from '../../resources.ts'
import type { AdmissionRequest, Authorizer } from '../../types.ts'
import { bindingsOf } from '../expressions/bindings.ts'
import type { RequestMatcher } from '../matching/request-matcher.ts'
import { isExempt, isNamespace } from '../matching/rules.ts'

export interface PolicyDeps {
  readonly lookup: Lookup
  readonly resources: Resources
  readonly matcher: RequestMatcher
  readonly authorize: Authorizer
}

/** Whether policies may judge the request: not what they are made of, and not questions about rights, which they may ask themselves. */
export function mayBeJudged(request: AdmissionRequest): boolean {
  return !isExempt(request) && !['authentication.k8s.io', 'authorization.k8s.io'].includes(request.kind.group)
}

/** What expressions see, which is the same for all policies that look at the request in the same form. */
export async function requestBindings(
  { matcher, authorize }: PolicyDeps,
  request: AdmissionRequest,
  shown: AnyKind,
  params: KubeObject | null,
): Promise<Bindings> {
  const namespace = isNamespace(request) ? null : await matcher.namespaceObject(request)
  return bindingsOf({ request, shown, namespace, params, authorize })
}

/** As errors name what a request is about, before it has a name. */
export function nameOf({ name, object }: AdmissionRequest): string {
  return name || object?.metadata?.generateName || 'Unknown'
}
