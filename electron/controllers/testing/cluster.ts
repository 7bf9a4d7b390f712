/** The real API server on a fake clock, with controllers and, where a test wants them, nodes that only pretend. */
import { settle, type FakeClock } from '../../base/fake-clock.ts'
import type { Logger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { event as eventKind } from '../../api/core/v1/event.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { startTestServer, type TestServer, type TestServerOverrides } from '../../apiserver/testing/harness.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import { createControllers } from '../controllers.ts'
import type { ControllerOptions } from '../runtime/options.ts'
import { createRunner } from '../runtime/runner.ts'
import { hollowNodes, type HollowNodes, type HollowOptions } from './hollow-nodes.ts'

export interface ClusterOptions {
  /** Names of controllers. */
  readonly only: readonly string[]
  readonly options?: ControllerOptions
  /** Absent: no nodes. */
  readonly hollow?: HollowOptions
  readonly seed?: number
  readonly server?: TestServerOverrides
  /** Stands between the controllers and the server. */
  readonly wrap?: (client: Client) => Client
}

export interface TestCluster extends AsyncDisposable {
  readonly server: TestServer
  readonly client: Client
  readonly clock: FakeClock
  readonly nodes: HollowNodes
  /** Writes of the controllers so far, without events: "update deployments/status web". */
  readonly writes: string[]
  /** What controllers logged as warnings and errors. */
  readonly complaints: Complaint[]
  /** Resolves when nothing happens any more at the present time. */
  quiet(): Promise<void>
  /** Lets time go on, and what it brings happen. */
  advance(ms: number): Promise<void>
  /** "Reason: message" of the events about an object of this name. */
  events(name: string): Promise<string[]>
}

export interface Complaint {
  readonly message: string
  readonly fields: Record<string, unknown>
}

export const NAMESPACE = 'test'

export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const { only, hollow = { nodes: 0 }, seed = 1, wrap = (client) => client } = options
  const stack = new AsyncDisposableStack()
  const server = stack.use(await startTestServer(options.server))
  const { clock, client } = server
  const writes: string[] = []
  const complaints: Complaint[] = []
  const logger = collector(complaints)
  const random = seededRandom(seed)
  await client.create(namespaceKind, { metadata: { name: NAMESPACE } })
  let activity = 0
  const counted = counting(client, (write) => {
    activity++
    if (write !== null) writes.push(write)
  })
  const nodes = hollowNodes(hollow)

  const quiet = async () => {
    for (let before = -1; before !== activity;) {
      before = activity
      await settle(25)
    }
  }
  const controllers = createControllers({
    client: wrap(counted),
    clock,
    random,
    logger,
    only,
    ...(options.options ? { options: options.options } : {}),
  })
  const hollowClient = counting(client, () => activity++)
  const informers = createInformers(hollowClient, { clock, logger, random })
  const runner = createRunner(nodes.descriptor, { client: hollowClient, informers, clock, random, logger, options: {} })
  stack.use(informers)
  if (runner) stack.use(runner)
  stack.use(controllers)
  await informers.start()
  await runner?.start()
  await controllers.start()
  await quiet()

  return {
    server,
    client,
    clock,
    nodes,
    writes,
    complaints,
    quiet,
    async advance(ms) {
      await clock.advance(ms)
      await quiet()
    },
    async events(name) {
      const { items } = await client.list(eventKind)
      return items.filter(({ involvedObject }) => involvedObject.name === name).map(({ reason, message }) => `${reason}: ${message}`)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Tells of each write but those of events, for which `null` is told. */
function counting(client: Client, tell: (write: string | null) => void): Client {
  const told = (verb: string, resource: string, name: string | undefined, subresource = '') =>
    tell(resource === 'events' ? null : `${verb} ${resource}${subresource ? `/${subresource}` : ''} ${name ?? '?'}`)
  return {
    get: (kind, at, options) => client.get(kind, at, options),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object, options) => {
      const { metadata } = object as { metadata?: { name?: string; generateName?: string } }
      told('create', kind.resource, metadata?.name ?? metadata?.generateName, options?.subresource)
      return client.create(kind, object, options)
    },
    update: (kind, object, options) => {
      told('update', kind.resource, object.metadata.name, options?.subresource)
      return client.update(kind, object, options)
    },
    patch: (kind, at, patch, options) => {
      told('patch', kind.resource, at.name, options?.subresource)
      return client.patch(kind, at, patch, options)
    },
    delete: (kind, at, options) => {
      told('delete', kind.resource, at.name)
      return client.delete(kind, at, options)
    },
    deleteCollection: (kind, options) => {
      told('deletecollection', kind.resource, options.namespace)
      return client.deleteCollection(kind, options)
    },
    request: (request) => {
      if (request.method !== 'GET') tell(`${request.method} ${request.path}`)
      return client.request(request)
    },
    websocket: (request) => client.websocket(request),
  }
}

function collector(complaints: Complaint[]): Logger {
  const complain = (message: string, fields: Record<string, unknown> = {}) => void complaints.push({ message, fields })
  const logger: Logger = { debug() {}, info() {}, warn: complain, error: complain, child: () => logger }
  return logger
}
