/** One webhook asked about one request. Source: apiserver `admission/plugin/webhook/{mutating,validating}/dispatcher.go`. */
import type { MutatingWebhook } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { AnyKind } from '../../../api/kind.ts'
import type { Random } from '../../../base/random.ts'
import { badRequest, failure, type Status, StatusError, timedOut } from '../../../machinery/status.ts'
import type { AdmissionRequest } from '../../types.ts'
import { type WebhookClient, WebhookCallError } from '../../webhooks/webhook-client.ts'
import { InvalidAnswer, reviewOf, reviewVersion, verdictOf, type Verdict } from './review.ts'

/** What both kinds of webhooks have in common; only mutating ones have a reinvocationPolicy. */
export type Webhook = Omit<MutatingWebhook, 'sideEffects'> & { readonly sideEffects: string }

export interface Caller {
  readonly client: WebhookClient
  readonly random: Random
}

/** It could not be asked, or its answer was none; `failurePolicy` says what then. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError'
}

const TIMEOUT_SECONDS = 10

/** What an allowing webhook says. Throws StatusError if it refuses, UnansweredError if it does not say. */
export async function ask(hook: Webhook, request: AdmissionRequest, shown: AnyKind, mutating: boolean, caller: Caller): Promise<Verdict> {
  if (request.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`)
  const verdict = await answered(hook, request, shown, mutating, caller)
  for (const [key, value] of Object.entries(verdict.annotations)) request.annotate?.(`${hook.name}/${key}`, value)
  for (const text of verdict.warnings) request.warn?.(text)
  if (!verdict.allowed) throw refusal(hook.name, verdict.result)
  return verdict
}

/** Throws what a failure means for the request: nothing if the webhook's failures are to be ignored. */
export function onFailure(hook: Webhook, request: AdmissionRequest, error: unknown, annotation: string): void {
  if (!(error instanceof UnansweredError)) throw error
  if (hook.failurePolicy !== 'Ignore') {
    const { message } = error
    throw failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, error)
  }
  if (request.signal.aborted) throw timedOut('request did not complete within requested timeout')
  request.annotate?.(annotation, hook.name)
}

async function answered(hook: Webhook, request: AdmissionRequest, shown: AnyKind, mutating: boolean, caller: Caller): Promise<Verdict> {
  const fail = (why: string, cause?: unknown) =>
    new UnansweredError(`failed calling webhook ${JSON.stringify(hook.name)}: ${why}`, { cause })
  const version = reviewVersion(hook.admissionReviewVersions)
  if (!version) throw fail('could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)')
  const uid = caller.random.uuid()
  const { timeoutSeconds = TIMEOUT_SECONDS } = hook
  try {
    const review = await reviewOf(request, shown, version, uid)
    const answer = await caller.client.post(hook.clientConfig, review, { timeoutSeconds, signal: request.signal })
    return verdictOf(answer, version, uid, mutating)
  } catch (error) {
    if (error instanceof WebhookCallError) throw fail(`failed to call webhook: ${error.message}`, error)
    if (error instanceof InvalidAnswer) throw fail(`received invalid webhook response: ${error.message}`, error)
    throw error
  }
}

/** What the client gets: what the webhook said, made a failure if it was none. */
function refusal(name: string, result: Verdict['result']): StatusError {
  const { code, status, message, reason, details } = (result ?? {}) as Partial<Status>
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = message || reason
  const made: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: !status || status === 'Success' ? 'Failure' : status,
    message: why ? `${denied}: ${why}` : `${denied} without explanation`,
    ...(reason ? { reason } : {}),
    ...(details ? { details } : {}),
    code: typeof code === 'number' && code >= 400 ? code : 400,
  }
  return new StatusError(made)
}
