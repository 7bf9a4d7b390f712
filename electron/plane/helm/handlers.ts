/** The `helm.*` channels: Helm is the user's own program, run with this cluster's kubeconfig. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { FlotillaError } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import type { HELM_CHANNELS, ChartSource, HelmOperation } from '../../contracts/helm.ts'
import type { Handlers } from '../../contracts/server.ts'
import type { HelmRelease } from '../../api/helm/release.ts'
import { readChart } from './chart.ts'
import { chartWords, commandText, wordsOf, type Files } from './command-line.ts'
import { readRelease, writeKept } from './kept.ts'
import { createListener } from './progress.ts'
import { findHelm, type HelmProgram } from './program.ts'
import { readRepository } from './repository.ts'
import { runLines, runToEnd } from './run.ts'

export interface HelmDeps {
  readonly client: Client
  readonly clock: Clock
  /** Path of the cluster's kubeconfig. */
  readonly kubeconfig: string
  /** Folders to look for `helm` in, as in PATH. */
  readonly path: string
  /** Instead of the folders that package managers use. */
  readonly usual?: readonly string[]
}

export function helmHandlers(deps: HelmDeps): Handlers<typeof HELM_CHANNELS> {
  const { client, clock, kubeconfig, path, usual } = deps
  const find = (signal?: AbortSignal) => findHelm({ path, clock, signal, ...(usual ? { usual } : {}) })
  const env = helmEnvironment(process.env, kubeconfig)

  /** Puts what the command line names into files; they go when the stack does. */
  const filesFor = async (stack: AsyncDisposableStack, operation: HelmOperation): Promise<Files> => {
    if (operation.type !== 'install' && operation.type !== 'upgrade') return {}
    const folder = await temporary(stack)
    const { chart, values, namespace, name } = operation
    let written: string | undefined
    if (chart.type === 'kept') written = await writeKept(await readRelease(client, { namespace, name, revision: chart.revision }), folder)
    if (chart.type === 'path') written = expanded(chart.path)
    const file = join(folder, 'values.yaml')
    if (values?.trim()) await writeFile(file, values, { mode: 0o600 })
    return { chart: written, values: file }
  }
  return {
    async 'helm.info'(_arg, signal) {
      try {
        return { program: await find(signal) }
      } catch (error) {
        if (!(error instanceof FlotillaError)) throw error
        const { what, why, next } = error
        return { problem: { what, why, next } }
      }
    },

    async 'helm.chart'({ chart, name, namespace }, signal) {
      await using stack = new AsyncDisposableStack()
      if (chart.type === 'path') return readChart(expanded(chart.path))
      const folder = await temporary(stack)
      if (chart.type === 'kept') {
        if (!name || !namespace)
          throw new FlotillaError('INVALID_INPUT', { what: 'No chart was named.', why: 'A release is needed.', next: '' })
        return readChart(await writeKept(await readRelease(client, { namespace, name, revision: chart.revision }), folder))
      }
      const helm = await find(signal)
      const { code, err } = await runToEnd(helm.path, ['pull', ...chartWords(chart), '--destination', folder], { env, signal, clock })
      if (code !== 0) throw refused(`The chart ${textOf(chart)} could not be fetched.`, err)
      const [archive] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'))
      return readChart(join(folder, archive ?? ''))
    },

    'helm.repository': ({ url }, signal) => readRepository(url, fetch, signal),

    async 'helm.preview'(operation, signal) {
      const helm = await find(signal)
      await using stack = new AsyncDisposableStack()
      const words = wordsOf(operation, helm.major, await filesFor(stack, operation), true)
      const { code, out, err } = await runToEnd(helm.path, words, { env, signal, clock })
      if (code !== 0) throw refused('Helm would refuse this.', err)
      const release = JSON.parse(out.slice(out.indexOf('{'))) as Partial<HelmRelease>
      return {
        manifest: release.manifest ?? '',
        notes: release.info?.notes ?? '',
        hooks: (release.hooks ?? []).map(({ kind, name, events }) => `${kind} ${name} (${(events ?? []).join(', ')})`),
      }
    },

    async 'helm.command'(operation, signal) {
      return { command: commandFor(operation, await find(signal)) }
    },

    async 'helm.run'(operation, duplex) {
      const helm = await find(duplex.signal)
      await using stack = new AsyncDisposableStack()
      const words = wordsOf(operation, helm.major, await filesFor(stack, operation))
      await duplex.send({ type: 'command', command: commandFor(operation, helm) })
      await duplex.send({ type: 'phase', phase: 'prepare', detail: '' })
      const listen = createListener()
      const code = await runLines(helm.path, words, { env, signal: duplex.signal, clock }, async (line, error) => {
        const { progress, told } = listen(line, error)
        if (progress) await duplex.send({ type: 'phase', ...progress })
        if (told !== null) await duplex.send({ type: 'line', error, text: told })
      })
      if (!duplex.signal.aborted) await duplex.send({ type: 'exit', code })
    },
  }
}

/** "~/charts/web" as a shell has it. */
const expanded = (path: string): string => path.replace(/^~(?=[\\/]|$)/, homedir())

/** With names that a person has, instead of those of temporary files. */
function commandFor(operation: HelmOperation, { major }: HelmProgram): string {
  const kept = 'chart' in operation && operation.chart.type === 'kept'
  return commandText(wordsOf(operation, major, { values: 'values.yaml', ...(kept ? { chart: './chart' } : {}) }))
}

async function temporary(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-helm-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function textOf(chart: ChartSource): string {
  return chart.type === 'oci' ? chart.reference : chart.type === 'repository' ? `${chart.chart} of ${chart.url}` : chart.type
}

function refused(what: string, said: string): FlotillaError {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('WARNING:'))
  const why = lines.map((line) => line.replace(/^Error: /, '')).join('\n')
  return new FlotillaError('HELM_FAILED', { what, why: why || 'Helm did not say why.', next: 'Correct what it names, then try again.' })
}

/** The user's own settings of Helm, but those that would lead to another cluster. */
function helmEnvironment(env: NodeJS.ProcessEnv, kubeconfig: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !/^HELM_(KUBE|NAMESPACE|DRIVER|DEBUG)/.test(name))
  return { ...Object.fromEntries(kept), KUBECONFIG: kubeconfig, HELM_DRIVER: 'secret' }
}
