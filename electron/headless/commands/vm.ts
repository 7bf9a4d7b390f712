/** `flotilla vm …`: the virtual machines of this computer. */
import type { Machine, VirtualMachineSpec } from '../../api/infra/v1alpha1/types.ts'
import { FlotillaError, isErrorCode } from '../../base/errors.ts'
import type { Caller } from '../../contracts/caller.ts'
import type { Channels } from '../../contracts/channels.ts'
import { listMachines } from '../../plane/sandboxes.ts'
import { usage, type Command, type CommandContext } from '../command.ts'
import { followMachine } from '../machine-progress.ts'
import { table } from '../output.ts'
import { connectRunning } from '../session.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30

/** Options by which sizes are given; shared with `up`. */
export const SIZE_OPTIONS = {
  cpus: { type: 'string', help: 'processors of a virtual machine (default: 2)' },
  memory: { type: 'string', help: 'its memory in MiB (default: 2048)' },
  disk: { type: 'string', help: 'the size that its disk may grow to, in GiB (default: 20)' },
} as const

export function sizesFrom(args: CommandContext['args']): Partial<Pick<VirtualMachineSpec, 'cpus' | 'memoryBytes' | 'diskBytes'>> {
  const [cpus, memory, disk] = [args.integer('cpus', 1, 256), args.integer('memory', 384, 1 << 20), args.integer('disk', 4, 1 << 16)]
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memory === undefined ? {} : { memoryBytes: memory * MIB }),
    ...(disk === undefined ? {} : { diskBytes: disk * GIB }),
  }
}

export const vmList: Command = {
  name: 'vm list',
  usage: '[--state DIR] [--json]',
  summary: 'Lists the virtual machines of this computer, what they have and how they do.',
  async run({ output, stateDir }) {
    using caller = await connectRunning(stateDir)
    const machines = (await listMachines(caller)).filter(({ spec }) => spec.provider === 'qemu')
    const all = await Promise.all(machines.map((machine) => describe(caller, machine)))
    const rows = all.map((vm) => [
      vm.name,
      vm.phase,
      vm.address ?? '-',
      String(vm.cpus),
      `${Math.round(vm.memoryBytes / MIB)} MiB`,
      `${vm.usedBytes === null ? '?' : (vm.usedBytes / GIB).toFixed(1)} of ${Math.round(vm.diskBytes / GIB)} GiB`,
      vm.accelerator ?? '-',
      vm.failure?.what ?? (vm.restartNeeded ? 'restart it to get what it was given' : ''),
    ])
    output.result(
      all,
      rows.length
        ? table(['NAME', 'PHASE', 'ADDRESS', 'CPUS', 'MEMORY', 'DISK', 'BY', 'NOTE'], rows)
        : 'There is no virtual machine. Make some with `flotilla up --provider qemu`, or `flotilla vm add`.',
    )
  },
}

export const vmAdd: Command = {
  name: 'vm add',
  usage: '[NAME] [--cpus N] [--memory MIB] [--disk GIB] [--image URL --sha256 SUM] [--state DIR]',
  summary: 'Makes a virtual machine on this computer, which becomes a node.',
  positionals: ['name?'],
  options: {
    ...SIZE_OPTIONS,
    image: { type: 'string', help: "address of a distribution's cloud image (default: Flotilla's own, built here)" },
    sha256: { type: 'string', help: 'its checksum' },
  },
  async run({ args, output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const [name, url, sha256] = [args.text('name'), args.text('image'), args.text('sha256')]
    if ((url === undefined) !== (sha256 === undefined)) throw usage('--image and --sha256 belong together.')
    const image = url !== undefined && sha256 !== undefined ? { image: { url, sha256 } } : {}
    const made = await caller.call('vm.add', { ...(name === undefined ? {} : { name }), ...sizesFrom(args), ...image })
    const machine = await untilPhase(caller, made.name, 'Ready', output, signal)
    output.result({ name: made.name, phase: machine.status.phase }, `${made.name} is ready.`)
  },
}

/** A command that gives a machine its power, and waits until it is so. */
function powerCommand(
  name: string,
  power: VirtualMachineSpec['power'],
  phase: Machine['status']['phase'],
  summary: string,
  done: string,
): Command {
  return {
    name: `vm ${name}`,
    usage: 'NAME [--state DIR]',
    summary,
    positionals: ['name'],
    async run({ args, output, stateDir, signal }) {
      using caller = await connectRunning(stateDir)
      const machine = args.need('name')
      await patchVirtual(caller, machine, { power })
      await untilPhase(caller, machine, phase, output, signal)
      output.result({ name: machine, phase }, `${machine} ${done}.`)
    },
  }
}

export const vmStart = powerCommand('start', 'On', 'Ready', 'Starts a virtual machine, and waits until it is linked.', 'runs')
export const vmStop = powerCommand(
  'stop',
  'Off',
  'Stopped',
  'Shuts a virtual machine down; it stays down until it is started.',
  'is shut down',
)
export const vmSuspend = powerCommand(
  'suspend',
  'Suspended',
  'Suspended',
  'Puts the memory of a virtual machine on its disk and ends it.',
  'is suspended',
)
export const vmResume = powerCommand('resume', 'On', 'Ready', 'Goes on with a suspended virtual machine where it was.', 'runs')

export const vmReboot: Command = {
  name: 'vm reboot',
  usage: 'NAME [--hard] [--state DIR]',
  summary: 'Restarts a virtual machine; with --hard as by its reset button.',
  positionals: ['name'],
  options: { hard: { type: 'boolean', help: 'do not shut it down first' } },
  async run({ args, output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const name = args.need('name')
    await caller.call('vm.reboot', { name, hard: args.flag('hard') }, { signal })
    await untilPhase(caller, name, 'Ready', output, signal)
    output.result({ name }, `${name} was restarted.`)
  },
}

export const vmResize: Command = {
  name: 'vm resize',
  usage: 'NAME [--cpus N] [--memory MIB] [--disk GIB] [--state DIR]',
  summary: 'Gives a virtual machine more or less. A larger disk and less memory come at once, the rest with its next start.',
  positionals: ['name'],
  options: SIZE_OPTIONS,
  async run({ args, output, stateDir }) {
    using caller = await connectRunning(stateDir)
    const [name, sizes] = [args.need('name'), sizesFrom(args)]
    if (Object.keys(sizes).length === 0) throw usage('Nothing to change was named.')
    await patchVirtual(caller, name, sizes)
    output.result({ name, ...sizes }, `${name} was changed.`)
  },
}

export const vmLog: Command = {
  name: 'vm log',
  usage: 'NAME [--state DIR]',
  summary: 'Prints what a virtual machine wrote to its serial line, from before its network is up.',
  positionals: ['name'],
  async run({ args, output, stateDir }) {
    using caller = await connectRunning(stateDir)
    const { text } = await caller.call('vm.log', { name: args.need('name') })
    output.result({ text }, text.trimEnd())
  },
}

export const vmConsole: Command = {
  name: 'vm console',
  usage: 'NAME [--state DIR]',
  summary: 'Joins this terminal to the serial line of a virtual machine. Ctrl-] leaves it.',
  positionals: ['name'],
  async run({ args, output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const leave = new AbortController()
    const remote = caller.open('vm.console', { name: args.need('name') }, { signal: AbortSignal.any([signal, leave.signal]) })
    const { stdin, stdout } = process
    const isTerminal = stdin.isTTY === true
    if (isTerminal) stdin.setRawMode(true)
    const input = async () => {
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        if (isTerminal && chunk.includes(LEAVE)) return leave.abort()
        await remote.send({ type: 'stdin' }, chunk)
      }
      // What is piped in has an end, but the answers to it may still come: who piped it in ends this.
    }
    input().catch(() => undefined)
    output.note('Ctrl-] leaves the console.')
    try {
      for await (const { bytes } of remote) if (bytes && !stdout.write(bytes)) await new Promise((resolve) => stdout.once('drain', resolve))
    } catch (error) {
      if (!leave.signal.aborted) throw error
    } finally {
      if (isTerminal) stdin.setRawMode(false)
      stdin.destroy()
    }
  },
}

/** Ctrl-], as telnet has it. */
const LEAVE = 0x1d

export const vmSnapshot: Command = {
  name: 'vm snapshot',
  usage: 'NAME [LABEL] [--restore | --delete] [--state DIR]',
  summary: 'Lists the snapshots of a virtual machine, or takes one. A running machine’s has its memory too.',
  positionals: ['name', 'label?'],
  options: {
    restore: { type: 'boolean', help: 'put the machine back to this one' },
    delete: { type: 'boolean', help: 'delete this one' },
  },
  async run({ args, output, stateDir }) {
    using caller = await connectRunning(stateDir)
    const [name, label] = [args.need('name'), args.text('label')]
    if (label === undefined) {
      if (args.flag('restore') || args.flag('delete')) throw usage('LABEL is missing.')
      const { snapshots } = await caller.call('vm.disk', { name })
      const rows = snapshots.map((one) => [one.name, one.createdAt, one.memoryBytes ? `${Math.round(one.memoryBytes / MIB)} MiB` : 'none'])
      return output.result(snapshots, rows.length ? table(['LABEL', 'TAKEN', 'MEMORY'], rows) : `${name} has no snapshot.`)
    }
    const [channel, done] = args.flag('restore')
      ? (['vm.restore', 'was put back to'] as const)
      : args.flag('delete')
        ? (['vm.deleteSnapshot', 'has lost'] as const)
        : (['vm.snapshot', 'was snapshot as'] as const)
    await caller.call(channel, { name, label })
    output.result({ name, label }, `${name} ${done} ${label}.`)
  },
}

export const vmCompact: Command = {
  name: 'vm compact',
  usage: 'NAME [--state DIR]',
  summary: 'Gives back what the disk of a stopped virtual machine does not need.',
  positionals: ['name'],
  async run({ args, output, stateDir }) {
    using caller = await connectRunning(stateDir)
    const name = args.need('name')
    const { before, after } = await caller.call('vm.compact', { name })
    output.result({ name, before, after }, `${name}: ${Math.round(before / MIB)} MiB before, ${Math.round(after / MIB)} MiB after.`)
  },
}

async function describe(caller: Caller<Channels>, { metadata: { name }, spec, status }: Machine) {
  const disk = await caller.call('vm.disk', { name }).catch(() => null)
  const { cpus = 0, memoryBytes = 0, diskBytes = 0, power } = spec.qemu ?? {}
  return {
    ...{ name, power, cpus, memoryBytes, diskBytes },
    phase: status.phase ?? 'Pending',
    address: status.address ?? null,
    accelerator: status.qemu?.accelerator ?? null,
    restartNeeded: status.qemu?.restartNeeded ?? false,
    usedBytes: disk?.usedBytes ?? null,
    snapshots: disk?.snapshots.map((one) => one.name) ?? [],
    failure: status.failure ?? null,
  }
}

async function patchVirtual(caller: Caller<Channels>, name: string, qemu: Partial<VirtualMachineSpec>): Promise<void> {
  const found = (await listMachines(caller)).find(({ metadata }) => metadata.name === name)
  if (found?.spec.provider !== 'qemu')
    throw new FlotillaError('MACHINE_NOT_FOUND', {
      what: `There is no virtual machine "${name}".`,
      why: found ? 'The machine of that name is none of ours to start and stop.' : 'It does not exist.',
      next: 'See what there is with `flotilla vm list`.',
    })
  await caller.call('kube.request', {
    method: 'PATCH',
    path: `/apis/infra.flotilla.dev/v1alpha1/machines/${name}`,
    contentType: 'application/merge-patch+json',
    body: { spec: { qemu } },
  })
}

/** Rejects with the failure that is written down after this began. */
async function untilPhase(
  caller: Caller<Channels>,
  name: string,
  phase: Machine['status']['phase'],
  output: CommandContext['output'],
  signal: AbortSignal,
): Promise<Machine> {
  let said: string | undefined
  let before: string | undefined
  return await followMachine(caller, name, signal, (machine) => {
    const { status } = machine
    const running = status.steps?.find((step) => step.state === 'running')
    const line = running && `  ${name}: ${running.title}${running.detail ? ` (${running.detail})` : ''}`
    if (line !== undefined && line !== said) output.note((said = line))
    if (status.phase === phase && (phase !== 'Ready' || status.link?.connected === true)) return machine
    const failure = JSON.stringify(status.failure ?? null)
    before ??= failure
    if (status.failure && (failure !== before || status.phase === 'Failed'))
      throw new FlotillaError(isErrorCode(status.failure.code) ? status.failure.code : 'INTERNAL', status.failure)
    return null
  })
}
