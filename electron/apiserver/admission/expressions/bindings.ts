/** A request as expressions see it. Source: apiserver `admission/plugin/cel/activation.go`. */
import type { Namespace } from '../../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../../api/kind.ts'
import { withoutManagedFields } from '../../../api/meta/v1/managed-fields.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { BudgetError, CelError } from '../../../machinery/cel/errors.ts'
import type { Bindings } from '../../../machinery/cel/frame.ts'
import { fromJson } from '../../../machinery/cel/json.ts'
import { type AskAuthorizer, authorizerValues } from '../../../machinery/cel/library/kubernetes/authorizer.ts'
import type { Budget } from '../../../machinery/cel/program.ts'
import { objectType, type CelType } from '../../../machinery/cel/types.ts'
import { CelObject, type Value } from '../../../machinery/cel/values.ts'
import type { AdmissionRequest, Authorizer, UserInfo } from '../../types.ts'
import { convert } from '../matching/equivalents.ts'
import { asSent, requestOf } from '../webhooks/review.ts'
import { NAMESPACE, REQUEST } from './admission-types.ts'
import type { Expression } from './expression.ts'

export interface Seen {
  readonly request: AdmissionRequest
  /** The kind in whose form the objects are shown. */
  readonly shown: AnyKind
  readonly namespace: Namespace | null
  readonly params: KubeObject | null
  readonly authorize: Authorizer
}

export async function bindingsOf({ request, shown, namespace, params, authorize }: Seen): Promise<Bindings> {
  const { kind, sent, object, old, subresource, name, user } = request
  const as = async (one: KubeObject | null) => fromJson(one && asSent(sent ? one : await convert(one, kind, shown)))
  const resource = { group: shown.group, resource: shown.resource, subresource, namespace: request.namespace, name }
  const { authorizer, requestResource } = authorizerValues(asking(authorize, user), resource)
  return {
    object: await as(object),
    oldObject: await as(old),
    namespaceObject: fromJson(namespace && namespaceView(namespace), NAMESPACE),
    request: fromJson(requestOf(request, shown), REQUEST),
    params: fromJson(params),
    authorizer,
    'authorizer.requestResource': requestResource,
  }
}

/** Without what is no expression's business. */
function namespaceView({ metadata, spec, status }: Namespace): unknown {
  const { ownerReferences: _owners, uid, ...others } = withoutManagedFields(metadata)
  return { metadata: { ...others, UID: uid }, spec, status }
}

function asking(authorize: Authorizer, user: UserInfo): AskAuthorizer {
  return async ({ verb, path = '', resource, serviceAccount }) => {
    const asked = serviceAccount ? serviceAccountUser(serviceAccount) : user
    if (!resource) return authorize({ user: asked, verb, path })
    const { group, subresource, namespace, name, fieldSelector, labelSelector } = resource
    const about = { group, version: '*', resource: resource.resource, subresource, namespace, name }
    const selectors = { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) }
    return authorize({ user: asked, verb, path: '', resource: { ...about, ...selectors } })
  }
}

function serviceAccountUser({ namespace, name }: { namespace: string; name: string }): UserInfo {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
  return { name: `system:serviceaccount:${namespace}:${name}`, groups }
}

const VARIABLES: CelType = objectType('kubernetes.variables', () => undefined)

/** A policy's variables, each evaluated when an expression first looks at it. */
export class LazyVariables extends CelObject {
  readonly type = VARIABLES
  readonly #expressions: ReadonlyMap<string, Expression>
  readonly #bindings: Bindings
  readonly #budget: Budget
  readonly #known = new Map<string, Value>()

  constructor(expressions: ReadonlyMap<string, Expression>, bindings: Bindings, budget: Budget) {
    super()
    this.#expressions = expressions
    this.#bindings = { ...bindings, variables: this }
    this.#budget = budget
  }

  get(field: string): Value | undefined {
    const known = this.#known.get(field)
    if (known !== undefined) return known
    const expression = this.#expressions.get(field)
    if (!expression) throw new CelError(`no such key: ${field}`)
    if (!expression.program) throw new CelError(`composited variable ${JSON.stringify(field)} fails to compile: ${expression.error}`)
    try {
      const value = expression.program.evaluate(this.#bindings, this.#budget)
      this.#known.set(field, value)
      return value
    } catch (error) {
      if (!(error instanceof CelError) && !(error instanceof BudgetError)) throw error
      throw new CelError(`composited variable ${JSON.stringify(field)} fails to evaluate: ${error.message}`)
    }
  }

  override has(field: string): boolean {
    return this.#expressions.has(field)
  }

  fields(): Iterable<string> {
    return this.#expressions.keys()
  }
}
