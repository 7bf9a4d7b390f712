/**
 * Tokens that earlier versions made for each ServiceAccount and that nobody has used for a year: first marked invalid, and after another
 * year deleted. Source: kubernetes `pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go`, KEP-2799.
 */
import { configMap as configMapKind } from '../../api/core/v1/config-map.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { serviceAccount as accountKind } from '../../api/core/v1/service-account.ts'
import type { Pod, Secret } from '../../api/core/v1/types.gen.ts'
import { hasReason } from '../../machinery/status.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { defineController, watch } from '../runtime/controller.ts'

const KEY = 'tokens'
/** Since when the API server notes the use of tokens. Before that nobody knows. */
const TRACKING = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }
const TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT = 'kubernetes.io/service-account.name'
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
const DAY = 86_400_000
const YEAR = 365 * DAY

export const legacyTokenCleanerController = defineController({
  name: 'legacy-serviceaccount-token-cleaner-controller',
  workers: 1,
  create({ client, clock, informers }) {
    const secrets = informers.for(secretKind, { fieldSelector: `type=${TYPE}` })
    const accounts = informers.for(accountKind)
    const pods = informers.for(podKind)
    const trackings = informers.for(configMapKind, {
      namespace: TRACKING.namespace,
      fieldSelector: `metadata.name=${TRACKING.name}`,
    })

    return {
      watches: [watch(trackings, () => [KEY]), watch(secrets, ({ type }) => (type === 'add' ? [KEY] : []))],
      async reconcile() {
        const since = Date.parse(trackings.get(TRACKING.namespace, TRACKING.name)?.data?.['since'] ?? '')
        if (Number.isNaN(since)) await track()
        else if (clock.now() - since >= YEAR) for (const secret of secrets.list()) await clean(secret, since)
        return { requeueAfter: DAY }
      },
    }

    async function track(): Promise<void> {
      if (trackings.get(TRACKING.namespace, TRACKING.name)) return
      try {
        await client.create(configMapKind, { metadata: TRACKING, data: { since: dayOf(clock.now()) } })
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) throw error
      }
    }

    async function clean(secret: Secret, since: number): Promise<void> {
      const { namespace = '', name, labels = {}, uid, resourceVersion, creationTimestamp } = secret.metadata
      if (isBeingDeleted(secret) || !isMadeForAccount(secret)) return
      const used = Date.parse(labels[LAST_USED] ?? '')
      const last = Number.isNaN(used) ? Math.max(since, Date.parse(creationTimestamp)) : used
      if (clock.now() - last < YEAR || pods.list(namespace).some((pod) => mounts(pod, name))) return
      const invalid = Date.parse(labels[INVALID_SINCE] ?? '')
      try {
        if (Number.isNaN(invalid)) {
          const body = { metadata: { resourceVersion, labels: { [INVALID_SINCE]: dayOf(clock.now()) } } }
          await client.patch(secretKind, { namespace, name }, { type: 'merge', body })
        } else if (clock.now() - invalid >= YEAR) {
          await client.delete(secretKind, { namespace, name }, { preconditions: { uid, resourceVersion } })
        }
      } catch (error) {
        // It changed meanwhile, and is looked at again tomorrow.
        if (!hasReason(error, 'NotFound', 'Conflict')) throw error
      }
    }

    /** One that somebody made by hand is in no account's list. */
    function isMadeForAccount({ metadata: { namespace, name, annotations } }: Secret): boolean {
      const account = accounts.get(namespace, annotations?.[ACCOUNT] ?? '')
      return account?.secrets?.some((reference) => reference.name === name) ?? false
    }
  },
})

function mounts({ spec }: Pod, secret: string): boolean {
  return (spec.volumes ?? []).some(
    (volume) =>
      volume.secret?.secretName === secret || volume.projected?.sources?.some((source) => source.secret?.name === secret) === true,
  )
}

/** "2026-11-21", of milliseconds since the epoch. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
