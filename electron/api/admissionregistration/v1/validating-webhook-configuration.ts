import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { ValidatingWebhookConfiguration } from './types.gen.ts'
import { defaultWebhook, validateWebhooks } from './webhook.ts'

export const validatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  resource: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  columns: [
    { name: 'Webhooks', type: 'integer', description: 'How many it calls', value: ({ webhooks }) => webhooks?.length ?? 0 },
    ageColumn,
  ],
  strategy: {
    defaults({ webhooks }) {
      for (const hook of webhooks ?? []) defaultWebhook(hook)
    },
    validate: ({ webhooks }) => validateWebhooks(webhooks),
  },
})
