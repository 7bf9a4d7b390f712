/** Sees to it that each namespace has the account that pods run as when they name none. Source: kubernetes `pkg/controller/serviceaccount`. */
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { serviceAccount as serviceAccountKind } from '../../api/core/v1/service-account.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'

const NAME = 'default'

export const serviceAccountController = defineController({
  name: 'serviceaccount-controller',
  create({ client, informers }) {
    const namespaces = informers.for(namespaceKind)
    const accounts = informers.for(serviceAccountKind, { fieldSelector: `metadata.name=${NAME}` })

    return {
      watches: [watch(namespaces, itself), watch(accounts, ({ object: { metadata } }) => [metadata.namespace ?? ''])],
      async reconcile(namespace) {
        const found = namespaces.get(undefined, namespace)
        if (!found || isBeingDeleted(found) || accounts.get(namespace, NAME)) return undefined
        try {
          await client.create(serviceAccountKind, { metadata: { name: NAME, namespace } })
        } catch (error) {
          if (!isNamespaceEnding(error)) throw error
        }
        return undefined
      },
    }
  },
})
