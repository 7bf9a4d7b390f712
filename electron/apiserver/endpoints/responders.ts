/** `create` on what is answered and not stored: reviews, tokens, bindings. */
import { groupResource, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { invalidObject } from '../../machinery/status.ts'
import type { Admission } from '../admission/admission.ts'
import { writeOptions } from '../registry/admission-request.ts'
import type { KindTypes } from '../registry/kind-types.ts'
import type { Call, WriteParameters } from '../registry/registry.ts'
import type { Responder, UserInfo } from '../types.ts'
import type { Body } from './body.ts'

export interface Asked {
  readonly kind: AnyKind
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly user: UserInfo
  readonly signal: AbortSignal
  /** As `Call` has them. */
  readonly annotate?: Call['annotate']
  readonly received?: Call['received']
}

export class Responders {
  readonly #admission: Admission
  readonly #types: KindTypes
  readonly #responders = new Map<string, Responder>()

  constructor(types: KindTypes, admission: Admission) {
    this.#admission = admission
    this.#types = types
  }

  /** Keyed by "resource.group" or "resource/subresource". */
  add(responders: Readonly<Record<string, Responder>>): void {
    for (const [name, responder] of Object.entries(responders)) this.#responders.set(name, responder)
  }

  /** Null if this is nothing to be answered. Throws StatusError. */
  find({ kind, subresource }: Pick<Asked, 'kind' | 'subresource'>): Responder | null {
    const name = subresource ? `${kind.resource}/${subresource}` : groupResource(kind)
    return this.#responders.get(name) ?? null
  }

  /** Admitted like any other create; the caller has authorized the request. Throws StatusError. */
  async answer(
    responder: Responder,
    asked: Asked,
    body: Body,
    parameters: WriteParameters,
    warn: (text: string) => void,
  ): Promise<KubeObject> {
    const { kind, subresource, namespace, name, user, signal } = asked
    const sent = responder.kind ?? kind
    const object = body(this.#types, sent, parameters.fieldValidation, warn)
    asked.received?.(object)
    if (kind.namespaced) object.metadata.namespace ||= namespace
    const errors = sent.strategy.validate?.(object) ?? []
    if (errors.length > 0) throw invalidObject(sent, object.metadata.name ?? '', errors)
    const { dryRun, options } = writeOptions('CreateOptions', parameters)
    const own = { ...(sent === kind ? {} : { sent }), ...(asked.annotate ? { annotate: asked.annotate } : {}) }
    const about = { kind, subresource, namespace, name, user, signal, dryRun, options, warn, ...own }
    const admitted = { ...about, operation: 'CREATE', object, old: null } as const
    await this.#admission.admit(admitted)
    await this.#admission.validate(admitted)
    return responder(object, { user, namespace, name, signal, dryRun: parameters.dryRun })
  }
}
