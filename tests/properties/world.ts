/** A whole cluster under a fake clock: API server, all controllers, the scheduler and simulated nodes, with faults between them. */
import { event as eventKind } from '../../electron/api/core/v1/event.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { startTestServer } from '../../electron/apiserver/testing/harness.ts'
import { settle, type FakeClock } from '../../electron/base/fake-clock.ts'
import type { Component } from '../../electron/base/lifecycle.ts'
import type { Logger } from '../../electron/base/logger.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { faultyClient, type Faults } from '../../electron/client/testing/faulty-client.ts'
import { createControllers } from '../../electron/controllers/controllers.ts'
import { overrideClient } from '../../electron/controllers/testing/override-client.ts'
import { createScheduler } from '../../electron/scheduler/scheduler.ts'
import type { Play } from '../simulation/behaviour.ts'
import { createHollowKubelets, type HollowKubelets } from '../simulation/hollow-kubelets.ts'

export const NAMESPACE = 'test'
/** Each node's. */
export const CPU = 4
/** Pods leave nodes that are lost after so long. */
const TOLERATION_SECONDS = 30

export type Manager = 'controllers' | 'scheduler'

export interface World extends AsyncDisposable {
  readonly client: Client
  readonly clock: FakeClock
  readonly kubelets: HollowKubelets
  /** Of controllers and scheduler alike. */
  readonly faults: Faults
  /** What reached the server from controllers and scheduler, without events. */
  readonly writes: string[]
  /** What they logged as errors: broken invariants, and reconciliations that were given up. */
  readonly errors: string[]
  /** Without a farewell; begins anew, with nothing known. */
  crash(manager: Manager): Promise<void>
  addNode(name: string): void
  removeNode(name: string): Promise<void>
  advance(ms: number): Promise<void>
}

export async function startWorld(nodes: readonly string[], play: Play, seed: number): Promise<World> {
  const stack = new AsyncDisposableStack()
  const admission = { disabled: ['ServiceAccount'], tolerationSeconds: TOLERATION_SECONDS }
  const { client, clock } = stack.use(await startTestServer({ admission }))
  await client.create(namespaceKind, { metadata: { name: NAMESPACE } })
  const writes: string[] = []
  const errors: string[] = []
  const faults: Faults = {}
  const random = seededRandom(seed)
  let activity = 0
  const logger = errorsOnly(errors)
  const shape = (name: string) => ({ name, capacity: { cpu: String(CPU) } })
  const kubelets = stack.use(
    createHollowKubelets({
      client: observed(client, () => activity++),
      ...{ clock, random, play, logger: silentLogger, nodes: nodes.map(shape) },
    }),
  )
  const quiet = async () => {
    for (let before = -1; before !== activity;) {
      before = activity
      await settle(25)
    }
  }

  const running = new Map<Manager, { part: Component; cut: Faults }>()
  const launch = async (manager: Manager) => {
    const counted = observed(client, (write) => {
      activity++
      if (!write.includes(` ${eventKind.resource} `)) writes.push(write)
    })
    const cut: Faults = {}
    const own = { client: faultyClient(faultyClient(counted, cut, random), faults, random), clock, random, logger }
    const part = manager === 'controllers' ? createControllers(own) : createScheduler(own)
    running.set(manager, { part, cut })
    const started = part.start()
    for (let ready = false; !ready;) {
      ready = await Promise.race([started.then(() => true), settle(25).then(() => false)])
      if (!ready) await clock.advance(1000)
    }
  }
  const end = async (manager: Manager) => {
    const was = running.get(manager)
    if (!was) return
    was.cut.partitioned = true
    running.delete(manager)
    await was.part[Symbol.asyncDispose]()
  }
  await kubelets.start()
  await launch('controllers')
  await launch('scheduler')
  stack.defer(async () => {
    await end('scheduler')
    await end('controllers')
  })
  await quiet()

  return {
    ...{ client, clock, kubelets, faults, writes, errors },
    async crash(manager) {
      await end(manager)
      await launch(manager)
    },
    addNode: (name) => kubelets.add(shape(name)),
    async removeNode(name) {
      kubelets.remove(name)
      await client.delete(nodeKind, { name })
    },
    async advance(ms) {
      await clock.advance(ms)
      await quiet()
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Tells of each write: "update deployments/status web". */
function observed(client: Client, tell: (write: string) => void): Client {
  const told = (verb: string, resource: string, name = '?', subresource = '') =>
    tell(`${verb} ${resource}${subresource ? `/${subresource}` : ''} ${name}`)
  return overrideClient(client, {
    create: (kind, object, options) => {
      told('create', kind.resource, (object as { metadata?: { name?: string } }).metadata?.name, options?.subresource)
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
    request: (request) => {
      if (request.method !== 'GET') told(request.method, request.path)
      return client.request(request)
    },
  })
}

function errorsOnly(errors: string[]): Logger {
  const error = (message: string, fields: Record<string, unknown> = {}) =>
    void errors.push(`${message} ${JSON.stringify(fields)} ${String(fields['error'])}`)
  const logger: Logger = { debug() {}, info() {}, warn() {}, error, child: () => logger }
  return logger
}
