import type { Clock } from '../../base/clock.ts'
import { component, startIn, type Component, componentWith } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import { systemRandom, type Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import type { AdmissionCheck, Authorizer, Responder } from '../types.ts'
import { healthAuthorizer, mastersAuthorizer, unionAuthorizer } from './authorizers.ts'
import { certificateRequestCheck } from './certificate-requests.ts'
import { configuredAuthorizers, type PlacedAuthorizer } from './configured-authorizers.ts'
import { escalationCheck } from './escalation.ts'
import { nodeAuthorizer } from './node-authorizer.ts'
import { watchReferences } from './node-references.ts'
import { nodeRestriction } from './node-restriction.ts'
import { rbacAuthorizer, watchPolicy } from './rbac.ts'
import { reconcileDefaults } from './reconcile.ts'
import { reviewResponders } from './reviews.ts'

export interface AuthorizationOptions {
  /** In-process, as a member of system:masters: it is used before any policy has been read. */
  readonly client: Client
  readonly clock: Clock
  readonly random?: Random
  readonly logger: Logger
}

/**
 * Who may do what: system:masters everything, nodes what concerns them, everyone else what RBAC says. To be started after
 * the API server, whose client it uses, and before it listens: until then only system:masters and health checks get through.
 */
export interface Authorization extends Component {
  readonly authorize: Authorizer
  /** Whom to ask after system:masters, in this order; by default nodes' rules and RBAC. */
  configure(placed: readonly PlacedAuthorizer[]): void
  /** For every write, after those that change objects: RBAC escalation, what nodes may write, and who approves and signs certificates. */
  readonly checks: readonly AdmissionCheck[]
  /** SubjectAccessReview and its kin. */
  readonly responders: Readonly<Record<string, Responder>>
}

export function createAuthorization({ client, clock, logger, random = systemRandom }: AuthorizationOptions): Authorization {
  const informers = createInformers(client, { clock, logger: logger.child({ part: 'authz' }) })
  const policy = watchPolicy(informers)
  const references = watchReferences(informers)
  const builtIn = { Node: nodeAuthorizer(references), RBAC: rbacAuthorizer(policy) }
  const configured = configuredAuthorizers({ builtIn, clock, random, logger })
  const authorize = unionAuthorizer([mastersAuthorizer, healthAuthorizer, configured.authorize])
  const base = component(async (stack, signal) => {
    stack.use(configured)
    await reconcileDefaults(client, signal)
    await startIn(stack, informers, signal)
  })
  return componentWith(base, {
    authorize,
    configure: (placed) => configured.configure(placed),
    checks: [escalationCheck(policy, authorize), nodeRestriction(references), certificateRequestCheck(authorize)],
    responders: reviewResponders(policy, authorize, () => configured.asksWebhooks),
  })
}
