import { FlotillaError } from '../base/errors.ts'
import { createCaller, type Caller } from '../contracts/caller.ts'
import { CHANNELS, type Channels } from '../contracts/channels.ts'
import type { AccessConfig } from '../plane/access-config.ts'
import type { AuditConfig } from '../plane/audit.ts'
import type { EtcdConfig, PlaneInfo } from '../plane/config.ts'
import { connectControl } from '../plane/control-socket.ts'
import { startPlane, type PlaneHost } from '../plane/host.ts'
import { locate, placesOf } from '../plane/locations.ts'
import { controlSocketPath } from '../plane/state-dir.ts'

/** The plane that runs on a state folder. Fails with PLANE_UNREACHABLE if none does. */
export async function connectRunning(stateDir: string): Promise<Caller<Channels>> {
  return createCaller(await connectControl(controlSocketPath(stateDir)), CHANNELS)
}

export interface OwnPlane extends AsyncDisposable {
  readonly info: PlaneInfo
  readonly caller: Caller<Channels>
  readonly host: PlaneHost
  readonly crashed: Promise<FlotillaError>
}

/** Starts a plane in this process and waits until it is ready. */
export async function startOwn(options: {
  entry: string
  stateDir: string
  port?: number | undefined
  name?: string | undefined
  etcd?: EtcdConfig | undefined
  serveEtcdPort?: number | undefined
  quotaBytes?: number | undefined
  historyBytes?: number | undefined
  access?: AccessConfig | undefined
  admissionFile?: string | undefined
  audit?: AuditConfig | undefined
  maxRequestsInflight?: number | undefined
  maxMutatingRequestsInflight?: number | undefined
  debug?: boolean
}): Promise<OwnPlane> {
  const places = locate(options.entry)
  const host = startPlane(
    {
      stateDir: options.stateDir,
      ...placesOf(places),
      face: 'browser',
      logLevel: options.debug ? 'debug' : 'info',
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.etcd === undefined ? {} : { etcd: options.etcd }),
      ...(options.quotaBytes === undefined ? {} : { quotaBytes: options.quotaBytes }),
      ...(options.historyBytes === undefined ? {} : { historyBytes: options.historyBytes }),
      ...(options.access === undefined ? {} : { access: options.access }),
      ...(options.admissionFile === undefined ? {} : { admissionFile: options.admissionFile }),
      ...(options.audit === undefined ? {} : { audit: options.audit }),
      ...(options.maxRequestsInflight === undefined ? {} : { maxRequestsInflight: options.maxRequestsInflight }),
      ...(options.maxMutatingRequestsInflight === undefined ? {} : { maxMutatingRequestsInflight: options.maxMutatingRequestsInflight }),
      ...(options.serveEtcdPort === undefined ? {} : { serveEtcdPort: options.serveEtcdPort }),
    },
    places.planeWorker,
  )
  try {
    const info = await host.ready
    const caller = createCaller(host.connect(), CHANNELS)
    return {
      info,
      caller,
      host,
      crashed: host.crashed,
      async [Symbol.asyncDispose]() {
        caller[Symbol.dispose]()
        await host[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await host[Symbol.asyncDispose]()
    throw error
  }
}

/** The running plane, or where none runs one of our own for as long as `use` takes. */
export async function withPlane<T>(
  options: { entry: string; stateDir: string },
  use: (caller: Caller<Channels>) => Promise<T>,
): Promise<T> {
  const running = await connectRunning(options.stateDir).catch((error: unknown) => {
    if (error instanceof FlotillaError && error.code === 'PLANE_UNREACHABLE') return null
    throw error
  })
  if (running) {
    using caller = running
    return await use(caller)
  }
  await using own = await startOwn(options)
  return await use(own.caller)
}
