/** The audit log: which requests it notes and where it goes. Source: kubernetes "Auditing". */
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { MetricSource } from '../metrics/metrics.ts'
import { requestInfo, type RequestInfo } from '../request-info.ts'
import type { ApiRequest, Auditor, UnauthenticatedRequest } from '../types.ts'
import type { Backend, Losses } from './backend.ts'
import { referenceOf } from './event.ts'
import { LEVELS, PolicyRules, type Judgement, type Policy } from './policy.ts'
import { Trail } from './trail.ts'

export interface AuditOptions {
  readonly policy: Policy
  readonly backends: readonly Backend[]
  readonly losses: Losses
  readonly clock: Clock
  readonly random: Random
}

/** Disposing it delivers what waits. */
export class Audit implements Auditor, AsyncDisposable {
  readonly #options: AuditOptions
  readonly #rules: PolicyRules
  readonly #levels = new Map<string, number>()
  #events = 0

  constructor(options: AuditOptions) {
    this.#options = options
    this.#rules = new PolicyRules(options.policy)
  }

  begin(request: ApiRequest, info: RequestInfo): Trail | null {
    const judgement = this.#rules.judge(request.user, info)
    this.#count(judgement)
    if (!judgement) return null
    const { origin, headers, user } = request
    const trail = this.#trail(judgement, info, {
      auditId: origin?.auditId ?? headers['audit-id'] ?? this.#options.random.uuid(),
      requestUri: origin?.target ?? targetOf(request),
      user,
      sourceIps: sourcesOf(headers, origin?.address),
      userAgent: headers['user-agent'] ?? '',
    })
    trail.begin()
    return trail
  }

  unauthenticated({ method, target, headers, origin }: UnauthenticatedRequest): void {
    const end = target.indexOf('?')
    const query = new URLSearchParams(end < 0 ? '' : target.slice(end))
    const info = requestInfo(method, decoded(end < 0 ? target : target.slice(0, end)), query)
    const judgement = this.#rules.judge(null, info)
    this.#count(judgement)
    if (!judgement) return
    const facts = {
      auditId: origin.auditId,
      requestUri: target,
      user: null,
      sourceIps: sourcesOf(headers, origin.address),
      userAgent: headers['user-agent'] ?? '',
    }
    const tried = headers['authorization'] === undefined ? 'x509' : 'bearer'
    this.#trail(judgement, info, facts).refused(`Authentication failed, attempted: ${tried}`, 401)
  }

  readonly metrics: MetricSource = () => [
    {
      name: 'apiserver_audit_event_total',
      help: 'Audit events made.',
      type: 'counter',
      samples: [[{}, this.#events]],
    },
    {
      name: 'apiserver_audit_error_total',
      help: 'Audit events that did not reach their backend.',
      type: 'counter',
      samples: this.#options.backends.map(({ name }) => [{ plugin: name }, this.#options.losses.counts.get(name) ?? 0] as const),
    },
    {
      name: 'apiserver_audit_level_total',
      help: 'Requests by the level that the policy gives them.',
      type: 'counter',
      samples: LEVELS.map((level) => [{ level }, this.#levels.get(level) ?? 0] as const),
    },
  ]

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#options.backends.map((backend) => backend[Symbol.asyncDispose]()))
  }

  #count(judgement: Judgement | null): void {
    const level = judgement?.level ?? 'None'
    this.#levels.set(level, (this.#levels.get(level) ?? 0) + 1)
  }

  #trail(
    judgement: Judgement,
    info: RequestInfo,
    facts: Omit<ConstructorParameters<typeof Trail>[0]['facts'], 'verb' | 'received'>,
  ): Trail {
    const { clock } = this.#options
    return new Trail({
      judgement,
      facts: { ...facts, verb: info.verb, received: clock.now() },
      object: referenceOf(info),
      clock,
      write: (event) => this.#write(event),
    })
  }

  #write(event: string): void {
    this.#events++
    for (const backend of this.#options.backends) backend.write(event)
  }
}

/** What cannot be decoded stays as it is. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function targetOf({ path, query }: ApiRequest): string {
  return query.size > 0 ? `${path}?${query.toString()}` : path
}

/** Whom proxies name, and who is connected. */
function sourcesOf(headers: ApiRequest['headers'], address: string | undefined): string[] {
  const forwarded = (headers['x-forwarded-for'] ?? '').split(',').flatMap((one) => one.trim() || [])
  const real = headers['x-real-ip']?.trim()
  return [...new Set([...forwarded, ...(real ? [real] : []), ...(address ? [address.replace(/^::ffff:/, '')] : [])])]
}
