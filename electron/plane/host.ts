import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { deferred } from '../base/async.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { FlotillaError, messageOf, type ErrorCode } from '../base/errors.ts'
import { Emitter } from '../base/events.ts'
import type { Port } from '../contracts/protocol.ts'
import type { PlaneConfig, PlaneInfo } from './config.ts'
import type { Health } from './health.ts'
import { portOverMessagePort } from './port.ts'

/** From the host to the worker. */
export type ToWorker = { readonly type: 'connect'; readonly port: MessagePort } | { readonly type: 'stop' }

/** From the worker to the host. */
export type FromWorker =
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'ready'; readonly info: PlaneInfo }
  /** To a desktop only. */
  | { readonly type: 'health'; readonly health: Health }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly what: string; readonly why: string; readonly next: string }

/** A control plane in a worker thread, as its host sees it. */
export interface PlaneHost extends AsyncDisposable {
  /** Resolves when the API server answers; rejects with the FlotillaError that kept the plane from starting. */
  readonly ready: Promise<PlaneInfo>
  /** Why the plane ended by itself; never resolves while it runs or when it is disposed. */
  readonly crashed: Promise<FlotillaError>
  readonly log: Emitter<string>
  /** What a desktop shows beside its windows; other faces are not told. */
  readonly health: Emitter<Health>
  /** A new connection of the contract, served inside the worker. Once the worker has ended it closes at once. */
  connect(): Port
}

/** How long a plane may take to stop, in milliseconds; after that its thread is ended as a power cut would, which loses nothing either. */
const STOP_PATIENCE = 15_000

/** `workerUrl`: file URL of `plane/worker-entry`, which bundles put elsewhere. */
export function startPlane(config: PlaneConfig, workerUrl: URL, clock: Clock = systemClock): PlaneHost {
  const worker = new Worker(workerUrl, { workerData: config, name: 'plane', stdout: false, stderr: false })
  const ready = deferred<PlaneInfo>()
  const crashed = deferred<FlotillaError>()
  const exited = deferred<void>()
  const log = new Emitter<string>()
  const health = new Emitter<Health>()
  let stopping = false
  let ended = false
  ready.promise.catch(() => undefined)

  const crash = (error: FlotillaError) => {
    ready.reject(error)
    if (!stopping) crashed.resolve(error)
  }
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'log') log.emit(message.line)
    else if (message.type === 'ready') ready.resolve(message.info)
    else if (message.type === 'health') health.emit(message.health)
    else crash(new FlotillaError(message.code, message))
  })
  worker.on('error', (error) => crash(internal(messageOf(error), error)))
  worker.on('exit', (code) => {
    ended = true
    crash(internal(`Its thread ended with code ${code}.`))
    exited.resolve()
  })
  const send = (message: ToWorker, transfer: MessagePort[] = []) => worker.postMessage(message, transfer)

  return {
    ready: ready.promise,
    crashed: crashed.promise,
    log,
    health,
    connect() {
      const { port1, port2 } = new MessageChannel()
      if (ended) port2.close()
      else send({ type: 'connect', port: port2 }, [port2])
      return portOverMessagePort(port1)
    },
    async [Symbol.asyncDispose]() {
      if (!stopping) {
        stopping = true
        send({ type: 'stop' })
      }
      using _patience = clock.setTimeout(() => void worker.terminate(), STOP_PATIENCE)
      await exited.promise
    },
  }
}

function internal(why: string, cause?: unknown): FlotillaError {
  return new FlotillaError('INTERNAL', {
    what: 'The control plane stopped.',
    why,
    next: 'Start Flotilla again; nothing that was acknowledged is lost. The log in the state folder says more.',
    cause,
  })
}
