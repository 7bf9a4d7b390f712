/** ValidatingAdmissionWebhook: all that are meant are asked at once. Source: apiserver `admission/plugin/webhook/validating`. */
import type { AnyKind } from '../../../api/kind.ts'
import { forbidden } from '../../../machinery/status.ts'
import type { AdmissionRequest, Authorizer } from '../../types.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { bindingsOf } from '../expressions/bindings.ts'
import { ConditionError, meetsConditions } from '../expressions/match-conditions.ts'
import type { RequestMatcher } from '../matching/request-matcher.ts'
import { isExempt } from '../matching/rules.ts'
import { ask, type Caller, onFailure } from './call.ts'
import type { Hook, HookSource } from './hook-source.ts'

export const VALIDATING_WEBHOOKS = { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingwebhookconfigurations' }
const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io/'

export interface WebhookDeps {
  readonly authorize: Authorizer
  readonly source: HookSource
  readonly matcher: RequestMatcher
  readonly caller: Caller
}

/** The kind in whose form a webhook is to see the request; null if it is not to. Throws StatusError 403 if its conditions fail. */
export async function meant(hook: Hook, request: AdmissionRequest, { matcher, authorize }: WebhookDeps): Promise<AnyKind | null> {
  const shown = await matcher.match(hook.criteria, request)
  if (!shown || hook.conditions.length === 0) return shown
  try {
    const seen = () => bindingsOf({ request, shown, namespace: null, params: null, authorize })
    return (await meetsConditions(hook.conditions, seen, hook.webhook.failurePolicy)) ? shown : null
  } catch (error) {
    if (error instanceof ConditionError) throw forbidden(request.kind, request.name, error.message)
    throw error
  }
}

export function validatingWebhooks(deps: WebhookDeps): AdmissionPlugin {
  const { source, caller } = deps
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (request) => !source.isEmpty && !isExempt(request),
    async validate(request: AdmissionRequest) {
      const chosen = []
      for (const hook of await source.hooks()) {
        const shown = await meant(hook, request, deps)
        if (shown) chosen.push({ ...hook, shown })
      }
      const asked = chosen.map(async ({ webhook, shown }, i) => {
        try {
          await ask(webhook, request, shown, false, caller)
        } catch (error) {
          onFailure(webhook, request, error, `${FAILED_OPEN}round_0_index_${i}`)
        }
      })
      for (const { reason, status } of (await Promise.allSettled(asked)) as PromiseRejectedResult[])
        if ((status as string) === 'rejected') throw reason
    },
  }
}
