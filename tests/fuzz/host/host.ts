/**
 * A process with an API server, its controllers and scheduler on a durable store, which watches itself: started with an IPC channel and the
 * state folder as its argument, by `startHost`.
 */
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../../electron/base/clock.ts'
import { messageOf } from '../../../electron/base/errors.ts'
import { jsonLogger, type Logger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { ADMIN } from '../../../electron/apiserver/pki/pki.ts'
import { startApi } from '../../../electron/plane/api.ts'
import { locate, placesOf } from '../../../electron/plane/locations.ts'
import { startManagers } from '../../../electron/plane/managers.ts'
import { prepareStateDir } from '../../../electron/plane/state-dir.ts'
import { unavailable } from '../../../electron/machinery/status.ts'
import type { FromHost, ToHost } from './messages.ts'
import { watchLoop } from './loop-watch.ts'

const stateDir = process.argv[2] ?? ''
const tell = (message: FromHost) => process.send?.(message)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Errors that say that the program is wrong, not the world. */
const BUGS = /"name":"(TypeError|RangeError|ReferenceError|SyntaxError|AssertionError)"/

function watchingLogger(): Logger {
  return jsonLogger({
    clock: systemClock,
    level: 'warn',
    sink(line) {
      if (process.env['FUZZ_LOG']) process.stderr.write(line)
      if (BUGS.test(line)) tell({ type: 'fault', rule: 'logged-bug', message: line.slice(0, 3000) })
    },
  })
}

process.on('unhandledRejection', (error) => tell({ type: 'fault', rule: 'unhandled-rejection', message: shown(error) }))
process.on('uncaughtExceptionMonitor', (error) => tell({ type: 'fault', rule: 'crash', message: shown(error) }))

function shown(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
}

const stack = new AsyncDisposableStack()
await prepareStateDir(stateDir)
const deps = { clock: systemClock, random: systemRandom, logger: watchingLogger() }
const places = placesOf(locate(join(import.meta.dirname, '../../../electron/headless/flotilla.ts')))
const config = { stateDir, ...places, face: 'browser', logLevel: 'warn' } as const
const noNodes = { dial: (node: string) => Promise.reject(unavailable(`there is no connection to the node ${node} yet`, 1)) }
const api = await startApi(config, deps, noNodes, stack)
await startManagers(api, config, deps, stack, new AbortController().signal)
stack.use(watchLoop((message) => tell({ type: 'fault', rule: 'loop-held', message })))

async function measure(): Promise<void> {
  const { revision } = await api.store.status()
  await api.store.compact(revision).catch(() => undefined)
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  tell({ type: 'measured', rss, heapUsed, external, sockets, watchers: await watchers() })
}

/** Watches that clients have; those of the controllers are always there. */
async function watchers(): Promise<number> {
  const answer = await api.server.handle({
    method: 'GET',
    path: '/metrics',
    query: new URLSearchParams(),
    headers: {},
    body: async () => Buffer.alloc(0),
    user: { name: 'system:apiserver', groups: ['system:masters'] },
    signal: new AbortController().signal,
  })
  const text = Buffer.from(answer.body as Uint8Array).toString('utf8')
  return [...text.matchAll(/^apiserver_longrunning_requests\{[^}]*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
}

async function stop(): Promise<void> {
  try {
    await stack.disposeAsync()
  } catch (error) {
    process.stderr.write(`the plane did not stop in order: ${shown(error)}\n`)
    process.exit(1)
  }
  process.exit(0)
}

process.on('message', (message: ToHost) => {
  if (message.type === 'measure') void measure()
  else void stop()
})
process.on('disconnect', () => process.exit(0))
tell({ type: 'ready', port: api.port, ca: api.pki.caPem, ...(await api.pki.issueClient(ADMIN)) })
