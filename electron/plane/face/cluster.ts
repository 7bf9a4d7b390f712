/** The `cluster.*` and `kubeconfig.*` channels. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { sleep, type Clock } from '../../base/clock.ts'
import { mergeIntoFile, writeKubeconfig, type KubeconfigEntry } from '../../client/kubeconfig.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Handlers } from '../../contracts/server.ts'
import type { Store } from '../../store/store.ts'

type ClusterHandlers = Pick<Handlers<Channels>, 'cluster.status' | 'kubeconfig.text' | 'kubeconfig.merge'>

/** How often the revision is told at the most, in milliseconds. */
const STATUS_EVERY = 2000

export function clusterHandlers(deps: {
  readonly name: string
  readonly server: string
  readonly startedAt: number
  readonly store: Store
  readonly kubeconfig: KubeconfigEntry
  readonly clock: Clock
}): ClusterHandlers {
  const { name, server, startedAt, store, kubeconfig, clock } = deps
  return {
    async 'cluster.status'(_arg, duplex) {
      for (let last = -1; !duplex.signal.aborted;) {
        const { revision } = await store.status()
        if (revision !== last) {
          await duplex.send({ name, phase: 'ready', server, revision, startedAt: new Date(startedAt).toISOString() })
        }
        last = revision
        await sleep(clock, STATUS_EVERY, duplex.signal).catch(() => undefined)
      }
    },

    'kubeconfig.text': () => ({ text: writeKubeconfig(kubeconfig), context: kubeconfig.name }),

    async 'kubeconfig.merge'({ path }) {
      const file = path ?? userKubeconfig()
      const { backup, currentContext } = await mergeIntoFile(file, kubeconfig, clock)
      const switched = currentContext === kubeconfig.name
      return { path: file, context: kubeconfig.name, switched, ...(backup === null ? {} : { backup }) }
    },
  }
}

/** The first file of KUBECONFIG, as kubectl writes to it; else ~/.kube/config. */
export function userKubeconfig(env: NodeJS.ProcessEnv = process.env): string {
  const named = (env['KUBECONFIG'] ?? '').split(process.platform === 'win32' ? ';' : ':').find((part) => part !== '')
  return named ?? join(homedir(), '.kube/config')
}
