/** A whole control plane in this process, and nodes that are played: their pods run by their objects, and a stub answers for them. */
import { once } from 'node:events'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { node as nodeKind } from '../../../electron/api/core/v1/node.ts'
import type { AgentServer } from '../../../electron/agent/server/agent-server.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { startIn } from '../../../electron/base/lifecycle.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import type { Client } from '../../../electron/client/client.ts'
import { isConditionTrue } from '../../../electron/machinery/conditions.ts'
import { startApi } from '../../../electron/plane/api.ts'
import { locate, placesOf } from '../../../electron/plane/locations.ts'
import { startManagers } from '../../../electron/plane/managers.ts'
import { paths } from '../../../electron/plane/state-dir.ts'
import { eventually } from '../../conformance/lib/behaviour.ts'
import { createHollowKubelets } from '../../simulation/hollow-kubelets.ts'
import { startStubAgent } from './stub-agent.ts'

export interface Lab extends AsyncDisposable {
  /** As the administrator. */
  readonly client: Client
  readonly kubeconfig: string
  /** For what is made on the way. */
  readonly dir: string
}

const NODES = ['ada', 'bob']
const ENTRY = join(import.meta.dirname, '../../../electron/headless/flotilla.ts')

export async function startLab(): Promise<Lab> {
  await using stack = new AsyncDisposableStack()
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'flotilla-kubectl-')))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const stateDir = join(dir, 'state')
  const known: { client?: Client; agent?: AgentServer } = {}
  const client = () => {
    if (!known.client) throw new Error('the plane does not run yet')
    return known.client
  }
  known.agent = await startStubAgent(stack, { pkiDir: paths(stateDir).pki, nodes: NODES, client, dir: join(dir, 'pods') })
  const dialer = {
    async dial() {
      const socket = connect(known.agent?.port ?? 0, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    },
  }
  const config = { stateDir, ...placesOf(locate(ENTRY)), face: 'browser', logLevel: 'error' } as const
  const api = await startApi(config, deps, dialer, stack)
  known.client = api.server.clientFor({ name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] })
  await startManagers(api, config, deps, stack, AbortSignal.timeout(60_000))
  await startIn(stack, createHollowKubelets({ ...deps, client: known.client, nodes: NODES.map((name) => ({ name })) }))
  await eventually(AbortSignal.timeout(60_000), 'the nodes are ready', async () => {
    const { items } = await client().list(nodeKind)
    return items.filter(({ spec, status }) => !spec.taints?.length && isConditionTrue(status.conditions, 'Ready')).length === NODES.length
  })
  const all = stack.move()
  return { client: known.client, kubeconfig: paths(stateDir).kubeconfig, dir, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
