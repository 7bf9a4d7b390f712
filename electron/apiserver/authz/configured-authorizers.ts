/** The authorizers in the order that the cluster's owner chose, which may change while the server runs. */
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Connection } from '../../client/kubeconfig.ts'
import type { Authorizer } from '../types.ts'
import { reviewServer } from '../webhooks/review-server.ts'
import type { AuthorizerConfig } from './authorization-configuration.ts'
import { unionAuthorizer } from './authorizers.ts'
import { webhookAuthorizer } from './webhook/webhook-authorizer.ts'

/** An authorizer as configured; a webhook with how it is reached. */
export interface PlacedAuthorizer {
  readonly config: AuthorizerConfig
  readonly connection?: Pick<Connection, 'server' | 'ca' | 'servername' | 'identity'>
}

export interface ConfiguredAuthorizers extends Disposable {
  readonly authorize: Authorizer
  readonly asksWebhooks: boolean
  /** Takes the place of what was configured before, with nothing remembered. */
  configure(placed: readonly PlacedAuthorizer[]): void
}

export interface ConfiguredAuthorizersOptions {
  readonly builtIn: Readonly<Record<'Node' | 'RBAC', Authorizer>>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export function configuredAuthorizers({ builtIn, clock, random, logger }: ConfiguredAuthorizersOptions): ConfiguredAuthorizers {
  let authorize: Authorizer = unionAuthorizer([builtIn.Node, builtIn.RBAC])
  let servers = new DisposableStack()
  let asksWebhooks = false
  return {
    authorize: (attributes) => authorize(attributes),
    get asksWebhooks() {
      return asksWebhooks
    },
    configure(placed) {
      const before = servers
      const after = new DisposableStack()
      authorize = unionAuthorizer(
        placed.map(({ config, connection }) => {
          if (config.type !== 'Webhook') return builtIn[config.type]
          if (!connection) throw new Error(`the webhook ${config.name} has no connection`)
          const server = after.use(reviewServer({ connection, timeout: config.timeout, clock, random }))
          return webhookAuthorizer({ ...config, server, clock, logger })
        }),
      )
      asksWebhooks = placed.some(({ config }) => config.type === 'Webhook')
      servers = after
      before.dispose()
    },
    [Symbol.dispose]: () => servers.dispose(),
  }
}
