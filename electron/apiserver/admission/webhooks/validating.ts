/** ValidatingAdmissionWebhook: all that are meant are asked at once. Source: apiserver `admission/plugin/webhook/validating`. */
import type { AdmissionRequest } from '../../types.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { RequestMatcher } from '../matching/request-matcher.ts'
import { isExempt } from '../matching/rules.ts'
import { ask, type Caller, onFailure } from './call.ts'
import type { HookSource } from './hook-source.ts'

export const VALIDATING_WEBHOOKS = { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingwebhookconfigurations' }
const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io/'

export interface WebhookDeps {
  readonly source: HookSource
  readonly matcher: RequestMatcher
  readonly caller: Caller
}

export function validatingWebhooks({ source, matcher, caller }: WebhookDeps): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (request) => !source.isEmpty && !isExempt(request),
    async validate(request: AdmissionRequest) {
      const meant = []
      for (const hook of await source.hooks()) {
        const shown = await matcher.match(hook.criteria, request)
        if (shown) meant.push({ ...hook, shown })
      }
      const asked = meant.map(async ({ webhook, shown }, i) => {
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
