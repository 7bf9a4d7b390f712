/** The real API server on the memory store: everybody's test double. */
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import type { Store } from '../../store/store.ts'
import { createApiServer, type ApiServer, type ApiServerOptions, type ApiServerParts } from '../apiserver.ts'
import type { UserInfo } from '../types.ts'

export interface TestServer extends AsyncDisposable {
  readonly server: ApiServer
  /** As a member of system:masters. */
  readonly client: Client
  readonly clock: FakeClock
  readonly store: Store
  stop(): Promise<void>
}

export type TestServerOverrides = Partial<Omit<ApiServerOptions, 'clock'>> & ApiServerParts & { readonly clock?: FakeClock }

export const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

/**
 * A started server in which everyone may do everything, on a clock that the test moves. Pods need no service account, because no
 * controller makes one; `admission: { disabled: [] }` asks for it.
 */
export async function startTestServer(overrides: TestServerOverrides = {}): Promise<TestServer> {
  const clock = overrides.clock ?? new FakeClock()
  const random = overrides.random ?? seededRandom(1)
  const store = overrides.store ?? createMemoryStore({ clock, random })
  const admission = { disabled: ['ServiceAccount'], ...overrides.admission }
  const server = createApiServer({ logger: silentLogger, ...overrides, admission, clock, random, store })
  server.use({ authorize: async () => ({ allowed: true, reason: '' }), ...overrides })
  await server.start()
  const stop = async () => {
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return { server, client: server.clientFor(ADMIN), clock, store, stop, [Symbol.asyncDispose]: stop }
}
