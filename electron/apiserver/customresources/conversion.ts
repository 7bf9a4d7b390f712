/** Conversion of custom resources between their versions by a webhook. Source: apiextensions-apiserver `conversion/webhook_converter.go`. */
import { isDeepStrictEqual } from 'node:util'
import type { WebhookConversion } from '../../api/apiextensions/v1/types.gen.ts'
import type { KubeObject, ObjectMeta } from '../../api/meta/v1/object.ts'
import { validateAnnotations, validateLabels } from '../../api/meta/v1/validation.ts'
import type { Random } from '../../base/random.ts'
import { thaw } from '../../machinery/freeze.ts'
import { isObject, type JsonObject } from '../../machinery/json-value.ts'
import { failure } from '../../machinery/status.ts'
import type { WebhookClient } from '../webhooks/webhook-client.ts'

/** The objects in another version, in their order; those that have it already as they are. Throws StatusError. */
export type Convert = (objects: readonly KubeObject[], apiVersion: string) => Promise<KubeObject[]>

export interface ConversionDeps {
  readonly webhooks: WebhookClient
  readonly random: Random
  readonly signal: AbortSignal
}

const GROUP = 'apiextensions.k8s.io'
const REVIEW = 'ConversionReview'
const VERSIONS = ['v1', 'v1beta1']
const TIMEOUT_SECONDS = 30

export function webhookConversion({ clientConfig, conversionReviewVersions }: WebhookConversion, deps: ConversionDeps): Convert {
  return async (objects, apiVersion) => {
    const others = objects.filter((object) => object.apiVersion !== apiVersion)
    const [first] = others
    if (!first) return [...objects]
    const about = `${described(first.apiVersion)}, Kind=${first.kind}${others.length > 1 ? 'List' : ''}`
    const refuse = (what: string) => failure(500, 'Unknown', `conversion webhook for ${about} ${what}`)
    const version = conversionReviewVersions.find((one) => VERSIONS.includes(one))
    if (!version) throw failure(500, 'Unknown', 'no supported conversion review versions')
    const uid = deps.random.uuid()
    const review = {
      kind: REVIEW,
      apiVersion: `${GROUP}/${version}`,
      request: { uid, desiredAPIVersion: apiVersion, objects: others.map(sent) },
    }
    let converted: readonly unknown[]
    try {
      const answer = await deps.webhooks.post(clientConfig ?? {}, review, { timeoutSeconds: TIMEOUT_SECONDS, signal: deps.signal })
      converted = convertedObjects(answer, uid, version)
    } catch (error) {
      throw refuse(`failed: ${(error as Error).message}`)
    }
    if (converted.length !== others.length) throw refuse(`returned ${converted.length} objects, expected ${others.length}`)
    let next = 0
    return objects.map((object) => {
      if (object.apiVersion === apiVersion) return object
      const at = next++
      try {
        return accepted(object, converted[at], apiVersion)
      } catch (error) {
        throw refuse(`returned invalid converted object at index ${at}: ${(error as Error).message}`)
      }
    })
  }
}

const described = (apiVersion: string) => (apiVersion.includes('/') ? apiVersion : `/${apiVersion}`)

/** Without the store's version, which is no business of the webhook's, and what an object that is being made has not got yet. */
function sent(object: KubeObject): object {
  const { resourceVersion: _resourceVersion, uid, creationTimestamp, ...others } = object.metadata
  return { ...object, metadata: { ...others, ...(uid ? { uid } : {}), creationTimestamp: creationTimestamp || null } }
}

function convertedObjects(answer: unknown, uid: string, version: string): readonly unknown[] {
  if (!isObject(answer)) throw new Error('no response provided')
  const { kind, apiVersion, response } = answer
  if (kind !== REVIEW || apiVersion !== `${GROUP}/${version}`) {
    const found = typeof apiVersion === 'string' && typeof kind === 'string' ? `${described(apiVersion)}, Kind=${kind}` : '/, Kind='
    throw new Error(`expected webhook response of ${GROUP}/${version}, Kind=${REVIEW}, got ${found}`)
  }
  if (!isObject(response)) throw new Error('no response provided')
  if (response['uid'] !== uid && version === 'v1')
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`)
  const { status = '', message } = isObject(response['result']) ? response['result'] : ({} as JsonObject)
  if (status !== 'Success') {
    throw new Error(typeof message === 'string' && message ? message : `response.result.status was '${String(status)}', not 'Success'`)
  }
  const objects = response['convertedObjects']
  return Array.isArray(objects) ? objects : []
}

/** The converted object with the metadata of the original: a conversion may change labels and annotations alone. Throws. */
function accepted(original: KubeObject, converted: unknown, apiVersion: string): KubeObject {
  if (!isObject(converted)) throw new Error('it is no object')
  const same = (what: string, wanted: unknown, found: unknown, separator = ' != ') => {
    if ((wanted ?? '') !== (found ?? '')) throw new Error(`${what}${String(wanted)}${separator}${String(found)}`)
  }
  same('invalid groupVersion (expected ', apiVersion, converted['apiVersion'], ', received ')
  same('invalid kind (expected ', original.kind, converted['kind'], ', received ')
  const meta = converted['metadata']
  if (!isObject(meta)) throw new Error('missing metadata in converted object')
  same('must have the same name: ', original.metadata.name, meta['name'])
  same('must have the same namespace: ', original.metadata.namespace, meta['namespace'])
  same('must have the same UID: ', original.metadata.uid, meta['uid'])
  const metadata = thaw<ObjectMeta>(original.metadata)
  for (const field of ['labels', 'annotations'] as const) restore(metadata, meta[field], field)
  return { ...converted, apiVersion, kind: original.kind, metadata }
}

function restore(metadata: ObjectMeta, found: unknown, field: 'labels' | 'annotations'): void {
  if (found === undefined || found === null) {
    delete metadata[field]
    return
  }
  if (!isObject(found)) throw new Error(`invalid metadata.${field} of type ${typeof found} in converted object`)
  for (const [key, value] of Object.entries(found)) {
    if (typeof value !== 'string') throw new Error(`metadata.${field}[${key}] must be a string, but is ${typeof value} in converted object`)
  }
  const map = found as Record<string, string>
  if (!isDeepStrictEqual(map, metadata[field])) {
    const errors = field === 'labels' ? validateLabels(map, 'metadata.labels') : validateAnnotations(map, 'metadata.annotation')
    if (errors.length > 0) throw new Error(errors.map((error) => `${error.field}: ${error.message}`).join(', '))
  }
  metadata[field] = map
}
