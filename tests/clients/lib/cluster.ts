/** A whole control plane in a process of its own, so that it can be killed, with simulated nodes that this process plays. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { node } from '../../../electron/api/core/v1/node.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { readKubeconfig } from '../../../electron/client/kubeconfig.ts'
import { createRemoteClient, type RemoteClient } from '../../../electron/client/remote-client.ts'
import { isConditionTrue } from '../../../electron/machinery/conditions.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import { createHollowKubelets } from '../../simulation/hollow-kubelets.ts'
import { until } from './until.ts'

export interface Cluster extends AsyncDisposable {
  /** A folder for the test's own files, taken away with the cluster. */
  readonly dir: string
  /** Of the administrator. */
  readonly kubeconfig: string
  /** "https://127.0.0.1:PORT" */
  readonly url: string
  /** PEM. */
  readonly ca: string
  readonly client: RemoteClient
  /** Ends the server's process with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again on the same port and state. Resolves when it answers. */
  restart(): Promise<void>
  /** Makes every revision before the newest unreadable, as etcd's compaction does. */
  compact(): Promise<void>
}

interface Ready {
  readonly server: string
  readonly kubeconfig: string
  readonly etcd: { readonly url: string; readonly caFile: string; readonly certFile: string; readonly keyFile: string }
}

const FLOTILLA = join(import.meta.dirname, '../../../electron/headless/flotilla.ts')

export async function startCluster({ nodes = 0 } = {}): Promise<Cluster> {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-clients-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const words = ['serve', '--state', join(dir, 'state'), '--serve-etcd', '0']
  let child = launch(words)
  stack.defer(() => end(child, 'SIGTERM'))
  let ready = await readyLine(child)
  const { server, ca = '', identity } = await readKubeconfig(ready.kubeconfig)
  const client = stack.use(createRemoteClient({ server, ca, identity: () => identity, clock: systemClock }))
  if (nodes > 0) await playNodes(client, nodes, stack)
  const all = stack.move()
  return {
    ...{ dir, kubeconfig: ready.kubeconfig, url: server, ca, client },
    kill: () => end(child, 'SIGKILL'),
    async restart() {
      child = launch(words)
      ready = await readyLine(child)
    },
    compact: () => compact(ready),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

function launch(words: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [FLOTILLA, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

async function readyLine({ stdout }: ChildProcess): Promise<Ready> {
  if (!stdout) throw new Error('no output')
  for await (const line of createInterface(stdout)) {
    if (line.startsWith('{')) return JSON.parse(line) as Ready
  }
  throw new Error('the control plane did not start; see above')
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

async function playNodes(client: RemoteClient, count: number, stack: AsyncDisposableStack): Promise<void> {
  const nodes = Array.from({ length: count }, (_, i) => ({ name: `simulated-${i}` }))
  const kubelets = stack.use(createHollowKubelets({ client, clock: systemClock, random: systemRandom, logger: silentLogger, nodes }))
  await kubelets.start()
  await until('the simulated nodes are ready', async () => {
    const { items } = await client.list(node)
    return items.filter(({ spec, status }) => !spec.taints?.length && isConditionTrue(status.conditions, 'Ready')).length === count
  })
}

async function compact({ etcd }: Ready): Promise<void> {
  const [ca, cert, key] = await Promise.all([etcd.caFile, etcd.certFile, etcd.keyFile].map((file) => readFile(file, 'utf8')))
  await using store = await createRemoteStore({
    endpoints: [etcd.url],
    tls: { ca, cert, key },
    clock: systemClock,
    logger: silentLogger,
  })
  const { revision } = await store.status()
  await store.compact(revision)
}
