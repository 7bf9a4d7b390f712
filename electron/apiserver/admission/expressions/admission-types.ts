/** What expressions about requests can name. Source: apiserver `admission/plugin/cel/compile.go`. */
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from '../../../machinery/cel/library/kubernetes/authorizer.ts'
import { BOOL, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP, type CelType, type FieldType } from '../../../machinery/cel/types.ts'

function declared(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  const known = new Map<string, FieldType>(Object.entries(fields).map(([property, type]) => [property, { type, property }]))
  return objectType(name, (field) => known.get(field))
}

const KIND = declared('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = declared('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = declared('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
})

export const REQUEST = declared('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER,
  dryRun: BOOL,
  options: DYN,
})

const CONDITION = declared('kubernetes.NamespaceCondition', {
  status: STRING,
  type: STRING,
  lastTransitionTime: TIMESTAMP,
  message: STRING,
  reason: STRING,
})

export const NAMESPACE = declared('kubernetes.Namespace', {
  metadata: declared('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: listOf(STRING),
  }),
  spec: declared('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: declared('kubernetes.NamespaceStatus', { conditions: listOf(CONDITION), phase: STRING }),
})

export interface Declared {
  readonly hasParams: boolean
  readonly hasAuthorizer: boolean
}

export function admissionVariables({ hasParams, hasAuthorizer }: Declared): Record<string, CelType> {
  return {
    object: DYN,
    oldObject: DYN,
    namespaceObject: NAMESPACE,
    request: REQUEST,
    ...(hasParams ? { params: DYN } : {}),
    ...(hasAuthorizer ? { authorizer: AUTHORIZER_TYPE, 'authorizer.requestResource': RESOURCE_CHECK_TYPE } : {}),
  }
}
