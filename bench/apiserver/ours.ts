/** The API server on the durable store, alone, in a process of its own: what a kube-apiserver and its etcd are together. Prints a line when it answers. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ADMIN } from '../../electron/apiserver/pki/pki.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { unavailable } from '../../electron/machinery/status.ts'
import { startApi } from '../../electron/plane/api.ts'
import { prepareStateDir } from '../../electron/plane/state-dir.ts'

const [stateDir = '', worker = '', root = ''] = process.argv.slice(2)
const stack = new AsyncDisposableStack()
await prepareStateDir(stateDir)
const folders = { agentDir: '', runtimeDirs: [], unitsDir: '', rendererDir: '' }
const api = await startApi(
  {
    stateDir,
    storeWorkerUrl: pathToFileURL(worker).href,
    descriptionsFile: join(root, 'resources/descriptions.json'),
    version: '0',
    face: 'browser',
    logLevel: 'error',
    ...folders,
  },
  { clock: systemClock, random: systemRandom, logger: silentLogger },
  { dial: () => Promise.reject(unavailable('there are no nodes')) },
  stack,
)
process.stdout.write(`${JSON.stringify({ port: api.port, ca: api.pki.caPem, ...(await api.pki.issueClient(ADMIN)) })}\n`)
process.on('SIGTERM', () => void stack.disposeAsync().then(() => process.exit(0)))
