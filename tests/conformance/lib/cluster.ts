/** The cluster under test: one that KUBECONFIG_UNDER_TEST names, or one that is made for the run and taken away after it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../../../electron/base/clock.ts'
import { readKubeconfig } from '../../../electron/client/kubeconfig.ts'
import { createRemoteClient, type RemoteClient } from '../../../electron/client/remote-client.ts'
import { TEST_IMAGE, testImageArchive } from './image.ts'
import type { Needs } from './rows.ts'
import { startSimulatedNodes } from './simulated.ts'

export interface Cluster extends AsyncDisposable {
  readonly kubeconfig: string
  readonly client: RemoteClient
  /** How many nodes it has. */
  readonly nodes: number
  /** Of the containers that tests run, on every node. */
  readonly image: string
}

const NODES: Record<Needs, number> = { api: 0, node: 1, nodes: 2 }
const flotilla = join(import.meta.dirname, '../../../electron/headless/flotilla.ts')

/**
 * A cluster with as many nodes as `needs` wants. Onto the nodes comes the tests' image, by the state folder that the kubeconfig lies in;
 * for a cluster that is not Flotilla's, IMAGE_UNDER_TEST names one that its nodes have. `simulated`: its nodes are played by this process.
 */
export async function startCluster(needs: Needs, { simulated = false } = {}): Promise<Cluster> {
  await using stack = new AsyncDisposableStack()
  const given = process.env['KUBECONFIG_UNDER_TEST']
  const nodes = NODES[needs]
  const kubeconfig = given ?? (await launch(simulated ? 0 : nodes, stack))
  const image = process.env['IMAGE_UNDER_TEST'] ?? TEST_IMAGE
  if (nodes > 0 && !simulated && !process.env['IMAGE_UNDER_TEST']) await importTestImage(dirname(kubeconfig))
  const connection = await readKubeconfig(kubeconfig)
  const client = stack.use(
    createRemoteClient({ server: connection.server, ca: connection.ca ?? '', identity: () => connection.identity, clock: systemClock }),
  )
  if (simulated) stack.use(await startSimulatedNodes(client, nodes))
  const all = stack.move()
  return { kubeconfig, client, nodes, image, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function launch(nodes: number, stack: AsyncDisposableStack): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-conformance-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const state = ['--state', join(dir, 'state')]
  const words = nodes === 0 ? ['serve', ...state] : ['up', '--nodes', String(nodes), '--provider', 'sandbox', '--yes', ...state]
  if (nodes > 0) stack.defer(() => finish(run(['down', '--yes', ...state])))
  const child = run(words)
  stack.defer(async () => {
    child.kill('SIGTERM')
    await finish(child)
  })
  const { kubeconfig } = await readyLine(child)
  return kubeconfig
}

async function importTestImage(stateDir: string): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-conformance-image-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const child = run(['image', 'import', await testImageArchive(dir), '--state', stateDir])
  child.stdout?.resume()
  await finish(child)
  if (child.exitCode !== 0) throw new Error('the tests’ image did not get onto the nodes; see above')
}

function run(words: string[]): ChildProcess {
  return spawn(process.execPath, [flotilla, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function readyLine(child: ChildProcess): Promise<{ kubeconfig: string }> {
  if (!child.stdout) throw new Error('no output')
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('{')) return JSON.parse(line) as { kubeconfig: string }
  }
  throw new Error('the cluster did not start; see above')
}

async function finish(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
