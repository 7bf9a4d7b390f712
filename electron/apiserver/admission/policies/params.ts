/** The objects that a binding gives a policy as parameters. Source: apiserver `admission/plugin/policy/generic` CollectParams. */
import type { ParamKind, ParamRef } from '../../../api/admissionregistration/v1/types.gen.ts'
import { apiVersionOf, type AnyKind } from '../../../api/kind.ts'
import { selectorMatches } from '../../../api/meta/v1/label-selector.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import type { Lookup } from '../../registry/lookup.ts'
import type { Resources } from '../../resources.ts'

/** The policy or binding cannot be carried out; its failurePolicy says what then. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** The policy is evaluated once with each; null stands for no parameters. None at all: it does not count. Throws ConfigurationError. */
export async function collectParams(
  paramKind: ParamKind | undefined,
  ref: ParamRef | undefined,
  namespace: string,
  deps: { readonly lookup: Lookup; readonly resources: Resources },
): Promise<readonly (KubeObject | null)[]> {
  if (!paramKind || !ref) return [null]
  const kind = kindOf(paramKind, deps.resources)
  if (!kind) {
    const text = `${paramKind.apiVersion ?? ''}, Kind=${paramKind.kind ?? ''}`
    throw new ConfigurationError(`paramKind kind \`${text}\` not known`)
  }
  const found = await objectsOf(kind, ref, placeOf(kind, ref, namespace), deps.lookup)
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction')
  return found
}

function kindOf({ apiVersion, kind }: ParamKind, resources: Resources): AnyKind | undefined {
  return [...resources.kinds()].find((one) => one.kind === kind && apiVersionOf(one) === apiVersion && one.verbs.includes('get'))
}

function placeOf(kind: AnyKind, ref: ParamRef, namespace: string): string {
  if (!kind.namespaced) {
    if (ref.namespace) throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
    return ''
  }
  const place = ref.namespace || namespace
  if (place === '') throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  return place
}

async function objectsOf(kind: AnyKind, { name, selector }: ParamRef, namespace: string, lookup: Lookup): Promise<KubeObject[]> {
  if (name) {
    const one = await lookup.get(kind, namespace, name)
    return one ? [one] : []
  }
  return (await lookup.list(kind, namespace)).filter(({ metadata }) => selectorMatches(selector, metadata.labels))
}
