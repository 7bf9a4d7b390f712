/**
 * Puts tokens without an end into Secrets of the type `kubernetes.io/service-account-token`, and deletes those whose account is gone.
 * Source: kubernetes `pkg/controller/serviceaccount/tokens_controller.go`.
 */
import { SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN } from '../../api/core/v1/secret-types.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { serviceAccount as serviceAccountKind } from '../../api/core/v1/service-account.ts'
import type { Secret, ServiceAccount } from '../../api/core/v1/types.gen.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'

const ACCOUNT_UID = 'kubernetes.io/service-account.uid'

export const serviceAccountTokenController = defineController({
  name: 'serviceaccount-token-controller',
  create({ client, informers, options: { signToken, rootCa } }) {
    if (!signToken) return null
    const secrets = informers.for(secretKind, { fieldSelector: `type=${SERVICE_ACCOUNT_TOKEN}` })
    const accounts = informers.for(serviceAccountKind)
    const tokensOf = ({ metadata: { namespace, name } }: ServiceAccount) =>
      secrets.list(namespace).filter(({ metadata }) => metadata.annotations?.[SERVICE_ACCOUNT_NAME] === name)

    return {
      watches: [watch(secrets, itself), watch(accounts, ({ object }) => tokensOf(object).map(keyOf))],
      async reconcile(key) {
        const { namespace = '', name } = splitKey(key)
        const secret = secrets.get(namespace, name)
        if (!secret || isBeingDeleted(secret)) return undefined
        const account = await accountOf(secret, namespace)
        const { uid, resourceVersion } = secret.metadata
        if (account) await fill(secret, account, namespace)
        else await client.delete(secretKind, { namespace, name }, { preconditions: { uid, resourceVersion } })
        return undefined
      },
    }

    /** Null if it is gone, or another took its name. Who is not known yet is asked for: a Secret must not go because news come late. */
    async function accountOf({ metadata: { annotations = {} } }: Secret, namespace: string): Promise<ServiceAccount | null> {
      const name = annotations[SERVICE_ACCOUNT_NAME] ?? ''
      const wanted = annotations[ACCOUNT_UID]
      const isMeant = (account: ServiceAccount) => !wanted || account.metadata.uid === wanted
      const known = accounts.get(namespace, name)
      if (known && isMeant(known)) return known
      try {
        const account = await client.get(serviceAccountKind, { namespace, name })
        return isMeant(account) ? account : null
      } catch (error) {
        if (hasReason(error, 'NotFound')) return null
        throw error
      }
    }

    async function fill(secret: Secret, { metadata: { name, uid } }: ServiceAccount, namespace: string): Promise<void> {
      const { metadata, data = {} } = secret
      const base64 = (text: string) => Buffer.from(text).toString('base64')
      const wanted = { ...(rootCa === undefined ? {} : { 'ca.crt': base64(rootCa) }), namespace: base64(namespace) }
      const isWhole = Object.entries(wanted).every(([key, value]) => data[key] === value) && data['token']
      if (isWhole && metadata.annotations?.[ACCOUNT_UID] === uid) return
      const token = data['token'] ?? base64((await signToken?.({ namespace, name, uid, secret: metadata.name })) ?? '')
      const annotations = { ...metadata.annotations, [ACCOUNT_UID]: uid }
      await client.update(secretKind, { ...secret, metadata: { ...metadata, annotations }, data: { ...data, ...wanted, token } })
    }
  },
})
