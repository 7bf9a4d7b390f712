import { rm } from 'node:fs/promises'
import { FlotillaError } from '../../base/errors.ts'
import type { Command } from '../command.ts'
import { listMachines } from '../../plane/sandboxes.ts'
import { untilGone } from '../machine-progress.ts'
import { ask, canAsk } from '../prompt.ts'
import { withPlane } from '../session.ts'

export const down: Command = {
  name: 'down',
  usage: '[--state DIR] [--purge] [--yes]',
  summary: 'Removes the machines that Flotilla made on this computer, with all that ran on them. Machines over SSH stay.',
  options: {
    purge: { type: 'boolean', help: 'also delete the cluster itself: the whole state folder' },
    yes: { type: 'boolean', short: 'y', help: 'ask nothing' },
  },
  async run({ args, output, stateDir, signal, entry }) {
    const removed = await withPlane({ entry, stateDir }, async (caller) => {
      const machines = await listMachines(caller)
      const ours = machines.filter((m) => m.spec.provider !== 'ssh').map((m) => m.metadata.name)
      if (args.flag('purge') && machines.length > ours.length) {
        throw new FlotillaError('INVALID_INPUT', {
          what: 'The cluster was not deleted.',
          why: `${machines.length - ours.length} machines over SSH still belong to it.`,
          next: 'Remove them first with `flotilla node remove NAME`.',
        })
      }
      if (ours.length && !args.flag('yes')) await confirm(`Remove ${ours.join(', ')} and everything that runs there?`, signal)
      for (const name of ours) {
        await caller.call('machines.remove', { name })
        await untilGone(caller, name, signal)
        output.note(`Removed ${name}.`)
      }
      return ours
    })
    if (args.flag('purge')) await rm(stateDir, { recursive: true, force: true })
    output.result({ removed, purged: args.flag('purge') }, removed.length ? undefined : 'There was no machine to remove.')
  },
}

async function confirm(question: string, signal: AbortSignal): Promise<void> {
  if (!canAsk())
    throw new FlotillaError('USAGE', { what: 'Nothing was removed.', why: 'There is no terminal to ask on.', next: 'Add --yes.' })
  const answer = await ask(`${question} [y/N] `, signal)
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new FlotillaError('CANCELLED', { what: 'Nothing was removed.', why: 'You said no.', next: '' })
}
