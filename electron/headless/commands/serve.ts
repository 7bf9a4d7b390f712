import { copyFile } from 'node:fs/promises'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Command } from '../command.ts'
import { startOwn } from '../session.ts'
import { serveUi, UI_OPTIONS } from '../ui.ts'
import { untilStopped } from '../until-stopped.ts'

export const serve: Command = {
  name: 'serve',
  usage: '[--state DIR] [--port N]',
  summary: 'Runs a control plane without a desktop. Prints one JSON line when the API server answers, and stays until it is stopped.',
  options: {
    port: { type: 'string', help: 'port of the API server on 127.0.0.1 (default: the one of last time, else a free one)' },
    kubeconfig: { type: 'string', help: 'also write the administrator’s kubeconfig to this file' },
    name: { type: 'string', help: 'name of a new cluster (default: flotilla)' },
    ...UI_OPTIONS,
    etcd: { type: 'string', help: 'URLs of an etcd cluster to store in, separated by commas' },
    debug: { type: 'boolean', help: 'log more' },
  },
  async run({ args, stateDir, signal, entry }) {
    if (args.text('etcd') !== undefined) {
      throw new FlotillaError('UNSUPPORTED', {
        what: 'The plane cannot store in an etcd cluster.',
        why: 'This version has the embedded store only.',
        next: 'Leave --etcd out.',
      })
    }
    await using stack = new AsyncDisposableStack()
    const plane = stack.use(
      await startOwn({ entry, stateDir, port: args.integer('port', 1, 65535), name: args.text('name'), debug: args.flag('debug') }),
    )
    const copy = args.text('kubeconfig')
    if (copy) await copyKubeconfig(plane.info.kubeconfig, copy)
    const ui = await serveUi(stack, plane, args, entry)
    process.stdout.write(`${JSON.stringify({ ready: true, ...plane.info, ...ui })}\n`)
    await untilStopped(plane, signal)
  },
}

async function copyKubeconfig(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to)
  } catch (error) {
    throw new FlotillaError('INVALID_INPUT', {
      what: `The kubeconfig could not be written to ${to}.`,
      why: `${messageOf(error)}.`,
      next: 'Name a file in a folder that exists and that you may write to.',
      cause: error,
    })
  }
}
