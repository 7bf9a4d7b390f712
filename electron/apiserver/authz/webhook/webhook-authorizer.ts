/** Asks a server whether a request is allowed (authorization.k8s.io SubjectAccessReview). Source: apiserver `plugin/pkg/authorizer/webhook`. */
import type { SubjectAccessReviewStatus } from '../../../api/authorization/v1/types.gen.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import { isObject } from '../../../machinery/json-value.ts'
import type { Program } from '../../../machinery/cel/program.ts'
import type { Authorizer, Decision } from '../../types.ts'
import type { ReviewServer } from '../../webhooks/review-server.ts'
import { reviewSpec } from '../review-spec.ts'
import { meetsConditions } from './match-conditions.ts'

export interface WebhookAuthorizerOptions {
  /** For the log. */
  readonly name: string
  readonly server: Pick<ReviewServer, 'post'>
  readonly version: 'v1' | 'v1beta1'
  /** How long answers hold, in milliseconds; 0: they are not kept. */
  readonly authorizedTtl: number
  readonly unauthorizedTtl: number
  /** What is said when the server gives no answer, or a condition fails. */
  readonly failurePolicy: 'NoOpinion' | 'Deny'
  readonly conditions: readonly Program[]
  readonly clock: Clock
  readonly logger: Logger
}

const REMEMBERED = 1024
/** Longer questions are asked anew each time, so that what is remembered stays small. */
const LONGEST_REMEMBERED = 10_000

export function webhookAuthorizer(options: WebhookAuthorizerOptions): Authorizer {
  const { name, server, version, failurePolicy, conditions, clock, logger } = options
  const answers = new Map<string, { readonly decision: Decision; readonly until: number }>()
  const running = new Map<string, Promise<Decision>>()
  const failed = (error: unknown): Decision => {
    logger.warn('an authorization webhook gave no answer', { webhook: name, why: messageOf(error), failurePolicy })
    return { allowed: false, reason: '', error: messageOf(error), ...(failurePolicy === 'Deny' ? { denied: true } : {}) }
  }
  const ask = async (key: string, spec: unknown): Promise<Decision> => {
    let decision: Decision
    try {
      const review = {
        kind: 'SubjectAccessReview',
        apiVersion: `authorization.k8s.io/${version}`,
        metadata: { creationTimestamp: null },
        spec,
      }
      decision = decisionOf(await server.post(review))
    } catch (error) {
      return failed(error)
    }
    const ttl = decision.allowed ? options.authorizedTtl : options.unauthorizedTtl
    if (ttl > 0 && key.length <= LONGEST_REMEMBERED) {
      if (answers.size >= REMEMBERED) answers.delete(String(answers.keys().next().value))
      answers.set(key, { decision, until: clock.monotonic() + ttl })
    }
    return decision
  }
  return async (attributes) => {
    const spec = reviewSpec(attributes)
    try {
      if (!meetsConditions(conditions, spec)) return { allowed: false, reason: '' }
    } catch (error) {
      return failed(error)
    }
    // v1beta1 called the groups "group".
    const { groups, ...rest } = spec
    const sent = version === 'v1beta1' && groups ? { ...rest, group: groups } : spec
    const key = JSON.stringify(sent)
    const known = answers.get(key)
    if (known && clock.monotonic() < known.until) return known.decision
    answers.delete(key)
    const shared = running.get(key)
    if (shared) return shared
    const asked = ask(key, sent).finally(() => running.delete(key))
    running.set(key, asked)
    return asked
  }
}

/** Throws Error for what is no answer. */
function decisionOf(answer: unknown): Decision {
  if (!isObject(answer) || !isObject(answer['status'])) throw new Error('the answer is no SubjectAccessReview with a status')
  const { allowed, denied, reason = '', evaluationError } = answer['status'] as Partial<SubjectAccessReviewStatus>
  if (allowed === true && denied === true) throw new Error('webhook subject access review returned both allow and deny response')
  const error = evaluationError ? { error: evaluationError } : {}
  return { allowed: allowed === true, reason, ...(denied === true ? { denied: true } : {}), ...error }
}
