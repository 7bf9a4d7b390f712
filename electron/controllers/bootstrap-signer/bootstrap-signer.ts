/**
 * Signs the ConfigMap `cluster-info` with each bootstrap token that may, so that a machine that has a token can tell the cluster from an
 * impostor. Source: kubernetes `pkg/controller/bootstrap/bootstrapsigner.go`.
 */
import { configMap as configMapKind } from '../../api/core/v1/config-map.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import type { Secret } from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { detachedSignature } from './detached-signature.ts'

const TOKENS = { namespace: 'kube-system', type: 'bootstrap.kubernetes.io/token' }
const INFO = { namespace: 'kube-public', name: 'cluster-info' }
const KEY = `${INFO.namespace}/${INFO.name}`
const CONTENT = 'kubeconfig'
const SIGNATURE = 'jws-kubeconfig-'
const NAME = 'bootstrap-token-'

export const bootstrapSignerController = defineController({
  name: 'bootstrap-signer-controller',
  component: 'bootstrap-signer',
  workers: 1,
  create({ client, clock, events, informers }) {
    const infos = informers.for(configMapKind, { namespace: INFO.namespace, fieldSelector: `metadata.name=${INFO.name}` })
    const tokens = informers.for(secretKind, { namespace: TOKENS.namespace, fieldSelector: `type=${TOKENS.type}` })
    return {
      watches: [watch(infos, () => [KEY]), watch(tokens, () => [KEY])],
      async reconcile() {
        const info = infos.get(INFO.namespace, INFO.name)
        if (!info || isBeingDeleted(info)) return undefined
        const content = info.data?.[CONTENT]
        if (content === undefined) {
          events.event(info, 'Warning', 'NoKubeconfig', `there is nothing to sign: the ConfigMap has no key ${CONTENT}`)
          return undefined
        }
        const others = Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE))
        const signatures = tokens.list().flatMap((secret) => {
          const token = signingToken(secret, clock.now())
          return token ? [[`${SIGNATURE}${token.id}`, detachedSignature(content, token)] as const] : []
        })
        const data = Object.fromEntries([...others, ...signatures])
        if (!semanticEqual(data, info.data)) await client.update(configMapKind, { ...info, data })
        return undefined
      },
    }
  },
})

/** Null for one that is not (any more) meant for this. `now` in milliseconds since the epoch. */
function signingToken({ metadata, data = {} }: Secret, now: number): { id: string; secret: string } | null {
  const value = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  const [id, secret, expiration] = [value('token-id'), value('token-secret'), value('expiration')]
  if (metadata.deletionTimestamp || metadata.name !== `${NAME}${id}` || secret === '') return null
  if (value('usage-bootstrap-signing') !== 'true') return null
  return expiration === '' || Date.parse(expiration) > now ? { id, secret } : null
}
