import type { Command } from '../command.ts'
import { connectRunning } from '../session.ts'

export const kubeconfig: Command = {
  name: 'kubeconfig',
  usage: '[--merge] [--into FILE] [--state DIR]',
  summary: 'Prints the administrator’s kubeconfig, or merges it into the user’s own, which is never overwritten.',
  options: {
    merge: { type: 'boolean', help: 'merge into ~/.kube/config (or KUBECONFIG); the context is switched only if there is none' },
    into: { type: 'string', help: 'merge into this file instead' },
  },
  async run({ args, output, stateDir }) {
    using caller = await connectRunning(stateDir)
    const into = args.text('into')
    if (!args.flag('merge') && into === undefined) {
      const { text, context } = await caller.call('kubeconfig.text', undefined)
      return output.result({ context, kubeconfig: text }, text.trimEnd())
    }
    const merged = await caller.call('kubeconfig.merge', into === undefined ? {} : { path: into })
    const use = merged.switched ? 'It is the current context.' : `Use it with \`kubectl --context ${merged.context}\`.`
    output.result(merged, `Merged context ${merged.context} into ${merged.path}. ${use}`)
  },
}
