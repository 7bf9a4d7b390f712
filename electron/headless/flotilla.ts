/** The command line: `flotilla COMMAND`. Exit codes are those of `base/errors.ts`. */
import { resolve } from 'node:path'
import { isAbort } from '../base/async.ts'
import { FlotillaError } from '../base/errors.ts'
import { defaultStateDir, locate } from '../plane/locations.ts'
import { findCommand, helpOf, parseCommand, usage, type Command } from './command.ts'
import { doctor } from './commands/doctor.ts'
import { down } from './commands/down.ts'
import { imageImport } from './commands/image.ts'
import { imageBuildMachine, imagePullMachine } from './commands/machine-image.ts'
import { kubeconfig } from './commands/kubeconfig.ts'
import { nodeAdd } from './commands/node-add.ts'
import { nodeCp } from './commands/node-files.ts'
import { nodeLogs } from './commands/node-logs.ts'
import { nodeRepair, nodeRollback, nodeUpgrade } from './commands/node-upgrade.ts'
import { nodeList, nodeRemove, nodeRetry, nodeShell } from './commands/node.ts'
import { serve } from './commands/serve.ts'
import { snapshotRestore, snapshotSave, snapshotStatus } from './commands/snapshot.ts'
import { status } from './commands/status.ts'
import { up } from './commands/up.ts'
import * as vm from './commands/vm.ts'
import { createOutput } from './output.ts'

const COMMANDS: readonly Command[] = [
  serve,
  up,
  down,
  status,
  kubeconfig,
  nodeList,
  nodeAdd,
  nodeRetry,
  nodeRemove,
  nodeShell,
  nodeCp,
  nodeLogs,
  nodeUpgrade,
  nodeRollback,
  nodeRepair,
  imageImport,
  imageBuildMachine,
  imagePullMachine,
  vm.vmList,
  vm.vmAdd,
  vm.vmStart,
  vm.vmStop,
  vm.vmSuspend,
  vm.vmResume,
  vm.vmReboot,
  vm.vmResize,
  vm.vmLog,
  vm.vmConsole,
  vm.vmSnapshot,
  vm.vmCompact,
  snapshotSave,
  snapshotStatus,
  snapshotRestore,
  doctor,
]

async function main(words: string[]): Promise<number> {
  const output = createOutput(words.includes('--json'))
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () =>
      stopping.abort(new FlotillaError('CANCELLED', { what: 'It was stopped.', why: `${name} was received.`, next: '' })),
    )
  }
  try {
    if (words.includes('--version')) return print(locate(import.meta.filename).version)
    const found = findCommand(COMMANDS, words)
    if (!found) {
      if (words.length === 0 || ['help', '--help', '-h'].includes(words[0] ?? '')) return print(overview())
      const option = words.findIndex((word) => word.startsWith('-'))
      throw usage(`There is no command "${words.slice(0, option < 0 ? 2 : Math.min(option, 2)).join(' ')}".`)
    }
    const args = parseCommand(found.command, found.rest)
    if (args.flag('help')) return print(helpOf(found.command))
    const stateDir = resolve(args.text('state') ?? defaultStateDir())
    await found.command.run({ args, output, stateDir, signal: stopping.signal, entry: import.meta.filename })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (isAbort(error)) return 130
    return output.failure(error)
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length)) + 2
  const lines = COMMANDS.map((c) => `  ${c.name.padEnd(width)}${c.summary.split('. ')[0]?.replace(/\.$/, '')}.`)
  return ['flotilla COMMAND [options]', '', ...lines, '', 'Add --help to a command to see what it takes.'].join('\n')
}

process.exit(await main(process.argv.slice(2)))
