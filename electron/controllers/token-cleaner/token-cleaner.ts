/** Deletes bootstrap tokens whose time is over. Source: kubernetes `pkg/controller/bootstrap`, "Authenticating with Bootstrap Tokens". */
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import type { Secret } from '../../api/core/v1/types.gen.ts'
import { isBeingDeleted, splitKey } from '../../machinery/object.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'

const NAMESPACE = 'kube-system'
const TYPE = 'bootstrap.kubernetes.io/token'
/** A clock may jump: what is due later is looked at again at least so often. */
const LOOK_EVERY = 3_600_000

export const tokenCleanerController = defineController({
  name: 'token-cleaner-controller',
  workers: 1,
  create({ client, clock, informers }) {
    const tokens = informers.for(secretKind, { namespace: NAMESPACE, fieldSelector: `type=${TYPE}` })

    return {
      watches: [watch(tokens, itself)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const token = tokens.get(namespace, name)
        const end = token && !isBeingDeleted(token) ? endOf(token) : null
        if (!token || end === null) return undefined
        const wait = end - clock.now()
        if (wait > 0) return { requeueAfter: Math.min(wait, LOOK_EVERY) }
        const { uid, resourceVersion } = token.metadata
        await client.delete(secretKind, { namespace, name }, { preconditions: { uid, resourceVersion } })
        return undefined
      },
    }
  },
})

/** Milliseconds since the epoch; null: never. A date that cannot be read is over: nobody may join with such a token either. */
function endOf({ data }: Secret): number | null {
  const text = Buffer.from(data?.['expiration'] ?? '', 'base64').toString('utf8')
  if (text === '') return null
  const end = Date.parse(text)
  return Number.isNaN(end) ? 0 : end
}
