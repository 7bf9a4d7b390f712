/**
 * Gives each namespace the certificate by which its pods know the API server. Source: kubernetes
 * `pkg/controller/certificates/rootcacertpublisher`.
 */
import { configMap as configMapKind } from '../../api/core/v1/config-map.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import type { ConfigMap } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'

const NAME = 'kube-root-ca.crt'
const ANNOTATIONS = { 'kubernetes.io/description': "The CA that signs the certificate of this cluster's API server." }

export const rootCaController = defineController({
  name: 'root-ca-certificate-publisher-controller',
  create({ client, informers, options: { rootCa } }) {
    if (rootCa === undefined) return null
    const namespaces = informers.for(namespaceKind)
    const configMaps = informers.for(configMapKind, { fieldSelector: `metadata.name=${NAME}` })
    const data = { 'ca.crt': rootCa }

    return {
      watches: [watch(namespaces, itself), watch(configMaps, ({ object: { metadata } }) => [metadata.namespace ?? ''])],
      async reconcile(namespace) {
        const found = namespaces.get(undefined, namespace)
        if (!found || isBeingDeleted(found)) return undefined
        const present = configMaps.get(namespace, NAME)
        if (present && isBeingDeleted(present)) return undefined
        if (!present) await create({ metadata: { name: NAME, namespace, annotations: ANNOTATIONS }, data })
        else if (!semanticEqual(present.data, data)) await repair(present)
        return undefined
      },
    }

    async function create(draft: Draft<ConfigMap>): Promise<void> {
      try {
        await client.create(configMapKind, draft)
      } catch (error) {
        if (!isNamespaceEnding(error)) throw error
      }
    }

    async function repair(present: ConfigMap): Promise<void> {
      const { metadata } = present
      const annotations = { ...metadata.annotations, ...ANNOTATIONS }
      await client.update(configMapKind, { ...present, metadata: { ...metadata, annotations }, data })
    }
  },
})
