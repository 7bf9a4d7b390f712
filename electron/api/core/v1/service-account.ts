import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { ServiceAccount } from './types.gen.ts'

const ENFORCE_MOUNTABLE = 'kubernetes.io/enforce-mountable-secrets'

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.ServiceAccount',
  subresources: { token: { verbs: ['create'], group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } },
  columns: [
    { name: 'Secrets', type: 'string', description: 'Number of secrets it may use', value: ({ secrets }) => secrets?.length ?? 0 },
    ageColumn,
  ],
  strategy: {
    prepareForCreate: keepSecretNames,
    prepareForUpdate: keepSecretNames,
    warnings: ({ metadata }, old) =>
      ENFORCE_MOUNTABLE in (metadata.annotations ?? {}) && !(ENFORCE_MOUNTABLE in (old?.metadata.annotations ?? {}))
        ? [
            `metadata.annotations[${ENFORCE_MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
          ]
        : [],
  },
})

/** Of a secret it may use only the name counts; the rest of the reference would go stale. */
function keepSecretNames(account: ServiceAccount): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }))
}
