/** MutatingAdmissionWebhook: one after the other, each on what those before made of it. Source: apiserver `admission/plugin/webhook/mutating`. */
import type { AnyKind } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { semanticEqual } from '../../../api/values/equal.ts'
import { isObject } from '../../../machinery/json-value.ts'
import { applyJsonPatch } from '../../../machinery/patch/json-patch.ts'
import { internal, StatusError } from '../../../machinery/status.ts'
import type { KindTypes } from '../../registry/kind-types.ts'
import type { AdmissionRequest } from '../../types.ts'
import type { AdmissionPlugin, Rounds } from '../admission.ts'
import { convert } from '../matching/equivalents.ts'
import { isExempt } from '../matching/rules.ts'
import { replaceObject } from '../replace-object.ts'
import { ask, onFailure, UnansweredError, type Webhook } from './call.ts'
import type { Hook } from './hook-source.ts'
import { Reinvocations } from './reinvocations.ts'
import { asSent } from './review.ts'
import { meant, type WebhookDeps } from './validating.ts'

export const MUTATING_WEBHOOKS = { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'mutatingwebhookconfigurations' }
const NAME = 'MutatingAdmissionWebhook'
const MUTATION = 'mutation.webhook.admission.k8s.io/'
const PATCH = 'patch.webhook.admission.k8s.io/'

export function mutatingWebhooks(deps: WebhookDeps & { readonly types: KindTypes }): AdmissionPlugin {
  const { source, caller, types } = deps
  async function call(hook: Hook, request: AdmissionRequest, shown: AnyKind, at: string): Promise<boolean> {
    const { webhook, configuration } = hook
    const about = { configuration, webhook: webhook.name }
    let mutated = false
    try {
      const verdict = await ask(webhook, request, shown, true, caller)
      const patch = verdict.patch === null ? [] : parsePatch(webhook, verdict.patch)
      if (patch.length > 0) {
        request.annotate?.(`${PATCH}${at}`, JSON.stringify({ ...about, patch, patchType: 'JSONPatch' }))
        mutated = await applyTo(request, webhook, patch, shown, types)
      }
    } catch (error) {
      onFailure(webhook, request, error, `failed-open.${MUTATION}${at}`)
    } finally {
      request.annotate?.(`${MUTATION}${at}`, JSON.stringify({ ...about, mutated }))
    }
    return mutated
  }

  return {
    name: NAME,
    handles: (request) => !source.isEmpty && !isExempt(request),
    async admit(request: AdmissionRequest, rounds: Rounds) {
      const state = rounds.state(NAME, () => new Reinvocations())
      if (rounds.again) state.noticeChange(request.object)
      let index = 0
      for (const hook of await source.hooks()) {
        const at = `round_${rounds.again ? 1 : 0}_index_${index++}`
        const shown = await meant(hook, request, deps)
        if (!shown || (rounds.again && !state.isDue(hook.id))) continue
        if (await call(hook, request, shown, at)) {
          state.changed()
          rounds.wantAnother()
        }
        if (hook.webhook.reinvocationPolicy === 'IfNeeded') state.invoked(hook.id)
      }
      state.remember(request.object)
    },
  }
}

function parsePatch(webhook: Webhook, text: string): unknown[] {
  const fail = (cause: unknown) =>
    new UnansweredError(
      `failed calling webhook ${JSON.stringify(webhook.name)}: received undecodable patch in webhook response: ${String(cause)}`,
      { cause },
    )
  try {
    const patch = JSON.parse(text) as unknown
    if (patch === null) return []
    if (!Array.isArray(patch) || !patch.every(isObject)) throw new Error('it is no list of operations')
    return patch
  } catch (error) {
    throw fail(error instanceof Error ? error.message : error)
  }
}

/** Changes the request's object in place; whether anything came of it. */
async function applyTo(request: AdmissionRequest, webhook: Webhook, patch: unknown[], shown: AnyKind, types: KindTypes): Promise<boolean> {
  const { object, kind, sent } = request
  if (!object) {
    const why = `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`
    throw internal(new Error(why))
  }
  const before = sent ? object : await convert(object, kind, shown)
  let after: KubeObject
  try {
    after = types.fromValue(sent ?? shown, applyJsonPatch(asSent(before), patch), 'Ignore', () => {})
  } catch (error) {
    const why = error instanceof StatusError ? error.status.details?.causes?.[0]?.message : undefined
    throw internal(why === undefined ? error : new Error(why, { cause: error }))
  }
  if (semanticEqual(before, after)) return false
  replaceObject(object, sent ? after : await convert(after, shown, kind))
  return true
}
