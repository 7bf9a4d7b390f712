import { FlotillaError } from '../../base/errors.ts'
import type { Command } from '../command.ts'
import { listMachines } from '../../plane/sandboxes.ts'
import { untilGone, untilReady } from '../machine-progress.ts'
import { table } from '../output.ts'
import { ask, askSecret, canAsk } from '../prompt.ts'
import { connectRunning } from '../session.ts'
import { runTerminal } from '../terminal.ts'

export const nodeList: Command = {
  name: 'node list',
  usage: '[--state DIR] [--json]',
  summary: 'Lists the machines of the cluster and how they do.',
  async run({ output, stateDir }) {
    using caller = await connectRunning(stateDir)
    const machines = await listMachines(caller)
    const rows = machines.map((m) => [
      m.metadata.name,
      m.spec.provider,
      m.status.phase ?? 'Pending',
      m.status.address ?? '-',
      m.status.link ? (m.status.link.connected ? 'up' : 'down') : '-',
      m.status.failure?.what ?? '',
    ])
    const text = rows.length
      ? table(['NAME', 'PROVIDER', 'PHASE', 'ADDRESS', 'LINK', 'FAILURE'], rows)
      : 'There is no machine yet. Add one with `flotilla node add HOST`.'
    output.result(
      machines.map(({ metadata, spec, status }) => ({ name: metadata.name, provider: spec.provider, ...status })),
      text,
    )
  },
}

export const nodeRetry: Command = {
  name: 'node retry',
  usage: 'NAME [--state DIR]',
  summary: 'Goes on with a machine from the step that failed.',
  positionals: ['name'],
  async run({ args, output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const name = args.need('name')
    const password = process.env['FLOTILLA_SSH_PASSWORD']
    const sudoPassword = process.env['FLOTILLA_SUDO_PASSWORD']
    const credentials = { ...(password === undefined ? {} : { password }), ...(sudoPassword === undefined ? {} : { sudoPassword }) }
    await caller.call('machines.retry', { name, credentials })
    const machine = await untilReady(caller, name, output, signal)
    output.result({ name, phase: machine.status.phase }, `${name} is ready.`)
  },
}

export const nodeRemove: Command = {
  name: 'node remove',
  usage: 'NAME [--forget] [--yes] [--state DIR]',
  summary: 'Takes a machine out of the cluster and removes everything that Flotilla put on it.',
  positionals: ['name'],
  options: {
    forget: { type: 'boolean', help: 'drop it even if it cannot be reached to clean it up' },
    'sudo-password': { type: 'boolean', help: 'sudo wants a password: asked for, or read from FLOTILLA_SUDO_PASSWORD' },
    yes: { type: 'boolean', short: 'y', help: 'ask nothing' },
  },
  async run({ args, output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const name = args.need('name')
    if (!args.flag('yes')) {
      if (!canAsk())
        throw new FlotillaError('USAGE', { what: `${name} was not removed.`, why: 'There is no terminal to ask on.', next: 'Add --yes.' })
      const answer = await ask(`Remove ${name} and stop everything that runs there? [y/N] `, signal)
      if (!/^y(es)?$/i.test(answer.trim()))
        throw new FlotillaError('CANCELLED', { what: `${name} was not removed.`, why: 'You said no.', next: '' })
    }
    const sudoPassword =
      process.env['FLOTILLA_SUDO_PASSWORD'] ??
      (args.flag('sudo-password') && canAsk() ? await askSecret('sudo password: ', signal) : undefined)
    await caller.call('machines.remove', { name, forget: args.flag('forget'), ...(sudoPassword ? { credentials: { sudoPassword } } : {}) })
    await untilGone(caller, name, signal)
    output.result({ removed: name }, `${name} is removed.`)
  },
}

export const nodeShell: Command = {
  name: 'node shell',
  usage: 'NAME [--state DIR]',
  summary: 'Opens a shell on the machine itself, also when its agent does not run. Runs what is piped in.',
  positionals: ['name'],
  async run({ args, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    const { stdin, stdout } = process
    const terminal = stdin.isTTY ? { size: { cols: stdout.columns ?? 80, rows: stdout.rows ?? 24 } } : {}
    const shell = caller.open('machines.shell', { name: args.need('name'), ...terminal }, { signal })
    process.exitCode = await runTerminal(shell)
  },
}
