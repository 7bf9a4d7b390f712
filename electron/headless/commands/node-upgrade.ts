import { FlotillaError, isErrorCode } from '../../base/errors.ts'
import type { ArgOf } from '../../contracts/channel.ts'
import type { Channels } from '../../contracts/channels.ts'
import { listMachines } from '../../plane/sandboxes.ts'
import { usage, type Args, type Command } from '../command.ts'
import { untilReady } from '../machine-progress.ts'
import type { Output } from '../output.ts'
import { connectRunning } from '../session.ts'

const OPTIONS = {
  all: { type: 'boolean', help: 'all machines, one after the other; the first that fails ends it' },
  drain: { type: 'boolean', help: 'move pods away first (default: they go on running, an agent that restarts touches none)' },
} as const

export const nodeUpgrade: Command = {
  name: 'node upgrade',
  usage: '(NAME | --all) [--drain] [--state DIR] [--json]',
  summary: 'Gives agents this program’s version, sees that their nodes do well with it, and otherwise takes the one before.',
  positionals: ['name?'],
  options: OPTIONS,
  run: async ({ args, output, stateDir, signal }) => roll(requestOf(args), stateDir, output, signal),
}

export const nodeRollback: Command = {
  name: 'node rollback',
  usage: '(NAME | --all) [--drain] [--state DIR] [--json]',
  summary: 'Takes the agents that machines had before the last upgrade.',
  positionals: ['name?'],
  options: OPTIONS,
  run: async ({ args, output, stateDir, signal }) => roll({ ...requestOf(args), rollBack: true }, stateDir, output, signal),
}

export const nodeRepair: Command = {
  name: 'node repair',
  usage: 'NAME [--state DIR]',
  summary: 'Sets a machine up once more: what is missing, damaged or old is put right, and running pods go on.',
  positionals: ['name'],
  async run({ args, output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const name = args.need('name')
    const sudoPassword = process.env['FLOTILLA_SUDO_PASSWORD']
    const password = process.env['FLOTILLA_SSH_PASSWORD']
    const given = { ...(password === undefined ? {} : { password }), ...(sudoPassword === undefined ? {} : { sudoPassword }) }
    const known = (await listMachines(caller)).find(({ metadata }) => metadata.name === name)
    // Nothing given: the ways in that the machine knows already.
    await caller.call('machines.retry', { name, ...(Object.keys(given).length ? { credentials: given } : {}) })
    const machine = await untilReady(caller, name, output, signal, known?.status.steps?.[0]?.startedAt)
    output.result({ name, phase: machine.status.phase }, `${name} is in order.`)
  },
}

type Request = ArgOf<Channels['machines.upgrade']>

function requestOf(args: Args): Request {
  const name = args.text('name')
  if ((name !== undefined) === args.flag('all')) throw usage('Name one machine, or say --all.')
  return { ...(name === undefined ? {} : { names: [name] }), drain: args.flag('drain') }
}

async function roll(request: Request, stateDir: string, output: Output, signal: AbortSignal): Promise<void> {
  using caller = await connectRunning(stateDir)
  const done: { machine: string; from: string; to: string; version: string }[] = []
  for await (const { value } of caller.open('machines.upgrade', request, { signal })) {
    if (value.type === 'progress') output.note(`  ${value.machine}: ${value.detail}`)
    else if (value.type === 'done') {
      const { machine, from, to, version } = value
      done.push({ machine, from, to, version })
      output.note(`  ✓ ${machine}: ${from === to ? 'has it already' : `${from.slice(0, 12)} → ${to.slice(0, 12)}`}`)
    } else {
      const { what, why, next, code, machine } = value
      output.note(`  ✗ ${machine}`)
      throw new FlotillaError(isErrorCode(code) ? code : 'INTERNAL', { what, why, next })
    }
  }
  const changed = done.filter(({ from, to }) => from !== to).length
  output.result(done, `${changed} of ${done.length} machine${done.length === 1 ? '' : 's'} got another agent.`)
}
