/** The real API server on a fake clock, with the scheduler at work. */
import { event as eventKind } from '../../api/core/v1/event.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Node, Pod, PodCondition } from '../../api/core/v1/types.gen.ts'
import { startTestServer } from '../../apiserver/testing/harness.ts'
import { settle, type FakeClock } from '../../base/fake-clock.ts'
import type { Logger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { ExtenderConfig, PostJson } from '../extenders/extender.ts'
import type { ProfileConfig } from '../framework/profile.ts'
import { createScheduler, type Scheduler } from '../scheduler.ts'
import { NAMESPACE, nodeDraft, podDraft, type NodeOptions, type PodOptions } from './objects.ts'

export interface TestClusterOptions {
  readonly profiles?: readonly ProfileConfig[]
  readonly extenders?: readonly ExtenderConfig[]
  readonly post?: PostJson
  readonly seed?: number
  /** Stands between the scheduler and the server. */
  readonly wrap?: (client: Client) => Client
}

export interface TestCluster extends AsyncDisposable {
  readonly client: Client
  readonly clock: FakeClock
  readonly scheduler: Scheduler
  /** What the scheduler logged as warnings and errors. */
  readonly complaints: string[]
  addNode(name: string, options?: NodeOptions): Promise<Node>
  addPod(name: string, options?: PodOptions): Promise<Pod>
  pod(name: string): Promise<Pod>
  /** The node it is bound to; "" if it waits. */
  nodeOf(name: string): Promise<string>
  scheduled(name: string): Promise<PodCondition | undefined>
  /** "Type Reason: message" of the events about an object of this name. */
  events(name: string): Promise<string[]>
  /** Resolves when nothing happens any more at the present time. */
  quiet(): Promise<void>
  /** Lets time go on, and what it brings happen. */
  advance(ms: number): Promise<void>
}

export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { profiles, extenders, post, seed = 1, wrap = (client) => client } = options
  const stack = new AsyncDisposableStack()
  const { client, clock } = stack.use(await startTestServer())
  const complaints: string[] = []
  const complain = (message: string) => void complaints.push(message)
  const logger: Logger = { debug() {}, info() {}, warn: complain, error: complain, child: () => logger }
  await client.create(namespaceKind, { metadata: { name: NAMESPACE } })
  const random = seededRandom(seed)
  const scheduler = stack.use(
    createScheduler({
      client: wrap(client),
      clock,
      random,
      logger,
      ...(profiles ? { profiles } : {}),
      ...(extenders ? { extenders } : {}),
      ...(post ? { post } : {}),
    }),
  )
  await scheduler.start()
  const quiet = () => settle(60)
  const pod = (name: string) => client.get(podKind, { namespace: NAMESPACE, name })

  return {
    client,
    clock,
    scheduler,
    complaints,
    addNode: (name, nodeOptions) => addNode(client, name, nodeOptions),
    addPod: (name, podOptions) => client.create(podKind, podDraft(name, podOptions)),
    pod,
    nodeOf: async (name) => (await pod(name)).spec.nodeName ?? '',
    scheduled: async (name) => (await pod(name)).status.conditions?.find(({ type }) => type === 'PodScheduled'),
    async events(name) {
      const { items } = await client.list(eventKind)
      return items
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
    },
    quiet,
    async advance(ms) {
      await clock.advance(ms)
      await quiet()
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Ready from the start: without the taint that the API server gives to new nodes. */
async function addNode(client: Client, name: string, options?: NodeOptions): Promise<Node> {
  const draft = nodeDraft(name, options)
  const made = await client.create(nodeKind, draft)
  const ready = await client.update(nodeKind, { ...made, spec: draft.spec ?? {} } as Node)
  return client.update(nodeKind, { ...ready, status: { ...ready.status, ...draft.status } } as Node, { subresource: 'status' })
}
