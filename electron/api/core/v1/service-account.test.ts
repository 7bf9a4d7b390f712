import { expect, it } from 'vitest'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { serviceAccount } from './service-account.ts'

const ENFORCED = { metadata: { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } } }

it('keeps of its secrets only the names', () => {
  const secrets = [{ kind: 'Secret', name: 'a', namespace: 'default', uid: 'u' }]
  expect(created(serviceAccount, { secrets }).object.secrets).toEqual([{ name: 'a' }])
  const { object } = updated(serviceAccount, stored(serviceAccount), (account) => {
    account.secrets = [{ name: 'b', uid: 'u' }]
  })
  expect(object.secrets).toEqual([{ name: 'b' }])
})

it('warns once of an annotation of old', () => {
  const object = stored(serviceAccount, ENFORCED)
  expect(serviceAccount.strategy.warnings?.(object, null)).toEqual([
    'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
  ])
  expect(serviceAccount.strategy.warnings?.(object, object)).toEqual([])
})

it('is shown with the number of its secrets', () => {
  expect(row(serviceAccount, stored(serviceAccount, { secrets: [{ name: 'a' }] }))).toEqual({ Secrets: 1, Age: '60m' })
})
