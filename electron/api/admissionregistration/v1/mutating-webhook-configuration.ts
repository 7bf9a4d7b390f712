import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { validateReinvocationPolicy } from './rules.ts'
import type { MutatingWebhookConfiguration } from './types.gen.ts'
import { defaultWebhook, validateWebhooks } from './webhook.ts'

export const mutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  resource: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration',
  columns: [
    { name: 'Webhooks', type: 'integer', description: 'How many it calls', value: ({ webhooks }) => webhooks?.length ?? 0 },
    ageColumn,
  ],
  strategy: {
    defaults({ webhooks }) {
      for (const hook of webhooks ?? []) {
        defaultWebhook(hook)
        hook.reinvocationPolicy ??= 'Never'
      }
    },
    validate: ({ webhooks }) =>
      validateWebhooks(webhooks, ({ reinvocationPolicy }, field) =>
        validateReinvocationPolicy(reinvocationPolicy, `${field}.reinvocationPolicy`),
      ),
  },
})
