import type { Caller } from '../../contracts/caller.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Command } from '../command.ts'
import { ensureLocal } from '../../plane/sandboxes.ts'
import { untilReady } from '../machine-progress.ts'
import { startOwn } from '../session.ts'
import { serveUi, UI_OPTIONS } from '../ui.ts'
import { untilStopped } from '../until-stopped.ts'
import { SIZE_OPTIONS, sizesFrom } from './vm.ts'

export const up: Command = {
  name: 'up',
  usage: '[--nodes N] [--provider sandbox|qemu] [--state DIR] [--yes]',
  summary:
    'Runs a control plane and machines on this computer, and stays until it is stopped. The machines go on; `flotilla down` removes them.',
  options: {
    nodes: { type: 'string', help: 'how many machines there should be (default: 1)' },
    provider: { type: 'string', help: 'what makes the machines: sandbox (default) or qemu' },
    ...SIZE_OPTIONS,
    port: { type: 'string', help: 'port of the API server on 127.0.0.1' },
    ...UI_OPTIONS,
    yes: { type: 'boolean', short: 'y', help: 'ask nothing' },
    debug: { type: 'boolean', help: 'log more' },
  },
  async run({ args, output, stateDir, signal, entry }) {
    const provider = args.choice('provider', ['sandbox', 'qemu']) ?? 'sandbox'
    const nodes = args.integer('nodes', 0, 50) ?? 1
    await using stack = new AsyncDisposableStack()
    const plane = stack.use(await startOwn({ entry, stateDir, port: args.integer('port', 1, 65535), debug: args.flag('debug') }))
    output.note(`The API server answers at ${plane.info.server}`)
    const ui = await serveUi(stack, plane, args, entry)
    if (ui.ui) output.note(`The app is at ${ui.ui}`)
    let names: string[] = []
    const atOnce = provider === 'qemu' ? await bootsAtOnce(plane.caller) : nodes
    for (let wanted = Math.min(nodes, atOnce); ; wanted = Math.min(nodes, wanted + atOnce)) {
      names = await ensureLocal(plane.caller, wanted, provider, sizesFrom(args))
      await Promise.all(names.map((name) => untilReady(plane.caller, name, output, signal)))
      if (wanted === nodes) break
    }
    process.stdout.write(`${JSON.stringify({ ready: true, ...plane.info, nodes: names, ...ui })}\n`)
    await untilStopped(plane, signal)
  },
}

/** Emulated machines take a processor each while they boot: with more at once none comes up sooner. */
async function bootsAtOnce(caller: Caller<Channels>): Promise<number> {
  const { accelerator, cpus } = await caller.call('vm.support', undefined)
  return accelerator === 'tcg' ? Math.max(1, Math.floor(cpus / 2)) : 50
}
