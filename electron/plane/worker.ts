/** The thread in which a control plane runs, so that its host's thread stays free to relay. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { FlotillaError, messageOf } from '../base/errors.ts'
import { jsonLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { CHANNELS } from '../contracts/channels.ts'
import { serveConnection } from '../contracts/server.ts'
import type { PlaneConfig } from './config.ts'
import { keepCompiledCode } from './code-cache.ts'
import { describeFailure } from './face/describe.ts'
import type { FromWorker, ToWorker } from './host.ts'
import { followHealth } from './health.ts'
import { openLogFile } from './log-file.ts'
import { createPlane } from './plane.ts'
import { portOverMessagePort } from './port.ts'
import { isDiskError, paths, prepareStateDir, stateError } from './state-dir.ts'

const host = parentPort as MessagePort
const config = workerData as PlaneConfig
const tell = (message: FromWorker) => host.postMessage(message)

function failed(error: unknown): void {
  const known = error instanceof FlotillaError || isDiskError(error) ? stateError(config.stateDir, error).toJSON() : null
  tell({
    type: 'failed',
    ...(known ?? {
      code: 'INTERNAL',
      what: 'The control plane could not start.',
      why: messageOf(error),
      next: 'The log in the state folder says more.',
    }),
  })
}

try {
  await prepareStateDir(config.stateDir)
  const file = openLogFile(paths(config.stateDir).log)
  const sink = (line: string) => {
    file.write(line)
    tell({ type: 'log', line })
  }
  const logger = jsonLogger({ clock: systemClock, sink, level: config.logLevel })
  process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }))
  process.on('uncaughtExceptionMonitor', (error) => logger.error('the plane crashed', { error }))

  const waiting: MessagePort[] = []
  let serving = false
  const serve = (port: MessagePort) => serveConnection(portOverMessagePort(port), CHANNELS, plane.handlers, describeFailure)
  // A window shows the cluster before the controllers have seen all of it.
  const onServing = () => {
    serving = true
    for (const port of waiting.splice(0)) serve(port)
  }
  const plane = createPlane(config, { clock: systemClock, random: systemRandom, logger }, onServing)
  const stopping = new AbortController()
  const stop = async () => {
    stopping.abort()
    try {
      await plane[Symbol.asyncDispose]()
    } catch (error) {
      logger.error('the plane did not stop cleanly', { error })
    } finally {
      process.exit(0)
    }
  }
  host.on('message', (message: ToWorker) => {
    if (message.type === 'stop') void stop()
    else if (serving) serve(message.port)
    else waiting.push(message.port)
  })
  await plane.start().catch((error: unknown) => {
    logger.error('the plane could not start', { error })
    throw error
  })
  tell({ type: 'ready', info: plane.info })
  keepCompiledCode()
  if (config.face === 'electron') {
    const deps = { client: plane.client, clock: systemClock, random: systemRandom }
    void followHealth(deps, (health) => tell({ type: 'health', health }), stopping.signal)
  }
} catch (error) {
  failed(error)
  process.exit(1)
}
