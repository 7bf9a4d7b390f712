import { usage, type Command } from '../command.ts'
import { connectRunning } from '../session.ts'

export const nodeLogs: Command = {
  name: 'node logs',
  usage: 'NAME [--containerd | --kernel | --system] [--tail N] [--follow] [--state DIR]',
  summary: 'Prints what a machine has written down: its agent (default), its container runtime, its kernel or its journal.',
  positionals: ['name'],
  options: {
    containerd: { type: 'boolean', help: 'of Flotilla’s containerd' },
    kernel: { type: 'boolean', help: 'of the kernel' },
    system: { type: 'boolean', help: 'the whole journal, or syslog' },
    tail: { type: 'string', help: 'how many lines (default: 200)' },
    follow: { type: 'boolean', short: 'f', help: 'go on with what comes' },
  },
  async run({ args, stateDir, signal }) {
    const chosen = (['containerd', 'kernel', 'system'] as const).filter((source) => args.flag(source))
    if (chosen.length > 1) throw usage('Choose one log.')
    const lines = args.integer('tail', 1, 100_000) ?? 200
    using caller = await connectRunning(stateDir)
    const request = { name: args.need('name'), source: chosen[0] ?? ('agent' as const), lines, follow: args.flag('follow') }
    for await (const { value, bytes } of caller.open('machines.logs', request, { signal })) {
      if (value.type === 'exit') process.exitCode = value.code ?? 1
      else if (bytes && !(value.type === 'stderr' ? process.stderr : process.stdout).write(bytes))
        await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
  },
}
