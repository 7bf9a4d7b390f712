/** The kinds of flowcontrol.apiserver.k8s.io. */
import { flowSchema, priorityLevelConfiguration } from '../../../electron/api/kinds.gen.ts'
import type { Behaviours } from '../lib/behaviour.ts'
import { wholeApi } from '../lib/whole-api.ts'

export const behaviours: Behaviours = {
  'apf-flowschema-api': wholeApi({
    kind: flowSchema,
    subresources: ['status'],
    draft: () => ({
      spec: {
        matchingPrecedence: 10_000,
        priorityLevelConfiguration: { name: 'none' },
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'nobody' } }],
            resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'], namespaces: ['*'] }],
          },
        ],
      },
    }),
  }),
  'apf-prioritylevelconfiguration-api': wholeApi({
    kind: priorityLevelConfiguration,
    subresources: ['status'],
    draft: () => ({ spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } } }),
  }),
}
