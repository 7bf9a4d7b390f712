/** admission.k8s.io AdmissionReview: what a webhook is asked, and what may be answered. Source: apiserver `webhook/request`. */
import { type AnyKind } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { isObject } from '../../../machinery/json-value.ts'
import type { AdmissionRequest } from '../../types.ts'
import { convert } from '../matching/equivalents.ts'
import { namespaceOf } from '../matching/rules.ts'

export type ReviewVersion = 'v1' | 'v1beta1'

const GROUP = 'admission.k8s.io'
const KNOWN: readonly ReviewVersion[] = ['v1', 'v1beta1']

export interface Verdict {
  readonly allowed: boolean
  /** A Status, or parts of one. */
  readonly result: Readonly<Record<string, unknown>> | null
  /** The JSON Patch, decoded; null if there is none. */
  readonly patch: string | null
  readonly warnings: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
}

/** The answer is none that the review allows. */
export class InvalidAnswer extends Error {
  override readonly name = 'InvalidAnswer'
}

/** The first that the webhook knows, in its own order; null if this server speaks none of them. */
export function reviewVersion(versions: readonly string[]): ReviewVersion | null {
  return versions.map((version) => KNOWN.find((known) => known === version)).find((known) => known !== undefined) ?? null
}

/** `shown` is the kind in whose form the webhook sees the request: its own, or an equivalent one. */
export async function reviewOf(
  request: AdmissionRequest,
  shown: AnyKind,
  version: ReviewVersion,
  uid: string,
): Promise<Record<string, unknown>> {
  const { kind, sent, object, old } = request
  const as = async (one: KubeObject | null) => one && asSent(sent ? one : await convert(one, kind, shown))
  const body = { uid, ...requestOf(request, shown), object: await as(object), oldObject: await as(old) }
  return { kind: 'AdmissionReview', apiVersion: `${GROUP}/${version}`, request: body }
}

/** What the request is, without the objects that it is about. */
export function requestOf(request: AdmissionRequest, shown: AnyKind): Record<string, unknown> {
  const { kind, sent, subresource, name, operation, user, dryRun = false, options } = request
  const { name: username, uid: userUid, groups, extra } = user
  return {
    kind: kindName(sent ?? shown),
    resource: resourceName(shown),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kindName(sent ?? kind),
    requestResource: resourceName(kind),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(namespaceOf(request) ? { namespace: namespaceOf(request) } : {}),
    operation,
    userInfo: { username, ...(userUid ? { uid: userUid } : {}), groups: [...groups], ...(extra ? { extra } : {}) },
    dryRun,
    options: options ?? null,
  }
}

/** As a client would write it: what the server has not said yet is not there. */
export function asSent(object: KubeObject): KubeObject {
  const { metadata } = object as Partial<KubeObject>
  // What comes with CONNECT has no metadata at all.
  if (!metadata || (metadata.uid !== '' && metadata.creationTimestamp !== '')) return object
  const { uid, creationTimestamp, ...others } = metadata
  const known = { ...others, ...(uid ? { uid } : {}), creationTimestamp: creationTimestamp || null }
  return { ...object, metadata: known as KubeObject['metadata'] }
}

/** Throws InvalidAnswer. */
export function verdictOf(answer: unknown, version: ReviewVersion, uid: string, mutating: boolean): Verdict {
  const review = isObject(answer) ? answer : {}
  const { response } = review
  if (!isObject(response)) throw new InvalidAnswer('webhook response was absent')
  const patchType = response['patchType'] as string | undefined
  const patch = typeof response['patch'] === 'string' && response['patch'] !== '' ? response['patch'] : null
  if (version === 'v1') checkAnswer(review, response, uid, mutating, patch, patchType)
  return {
    allowed: response['allowed'] === true,
    result: isObject(response['status']) ? response['status'] : null,
    patch: mutating && patch !== null ? Buffer.from(patch, 'base64').toString('utf8') : null,
    warnings: strings(response['warnings']),
    annotations: isObject(response['auditAnnotations']) ? (response['auditAnnotations'] as Record<string, string>) : {},
  }
}

/** v1beta1 never looked at these. */
function checkAnswer(
  review: Readonly<Record<string, unknown>>,
  response: Readonly<Record<string, unknown>>,
  uid: string,
  mutating: boolean,
  patch: string | null,
  patchType: string | undefined | null,
): void {
  const got = typeof response['uid'] === 'string' ? response['uid'] : ''
  if (got !== uid) throw new InvalidAnswer(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(got)}`)
  const { apiVersion = '', kind = '' } = review as { apiVersion?: string; kind?: string }
  if (apiVersion !== `${GROUP}/v1` || kind !== 'AdmissionReview')
    throw new InvalidAnswer(`expected webhook response of ${GROUP}/v1, Kind=AdmissionReview, got ${apiVersion}, Kind=${kind}`)
  const typed = patchType !== undefined && patchType !== null
  if (!mutating) {
    if (patch !== null) throw new InvalidAnswer('validating webhook may not return response.patch')
    if (typed) throw new InvalidAnswer('validating webhook may not return response.patchType')
    return
  }
  if (patch !== null && !typed) throw new InvalidAnswer('webhook returned response.patch but not response.patchType')
  if (patch === null && typed) throw new InvalidAnswer('webhook returned response.patchType but not response.patch')
  if (patchType === '') throw new InvalidAnswer('webhook returned invalid response.patchType of ""')
  if (typed && patchType !== 'JSONPatch') throw new InvalidAnswer(`unsupported patch type ${JSON.stringify(patchType)}`)
}

function kindName({ group, version, kind }: AnyKind) {
  return { group, version, kind }
}

function resourceName({ group, version, resource }: AnyKind) {
  return { group, version, resource }
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
