/** The agents of many machines, one after the other: a new program, or the one before. The first failure ends it. */
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { LAYOUT } from '../layout.ts'
import { rollBackAgent, upgradeAgent, type AgentProgramDeps } from './agent-programs.ts'
import { drainNode, type DrainOptions } from './drain.ts'

export type RollingEvent =
  | { readonly type: 'progress'; readonly machine: string; readonly detail: string }
  /** Content hashes; the same when there was nothing to do. */
  | { readonly type: 'done'; readonly machine: string; readonly from: string; readonly to: string; readonly version: string }
  | {
      readonly type: 'failed'
      readonly machine: string
      readonly code: string
      readonly what: string
      readonly why: string
      readonly next: string
    }

export interface RollingOptions {
  readonly names: readonly string[]
  readonly rollBack: boolean
  /** Moves pods away first. Without, they go on running on the node all the time: an agent that restarts touches no container. */
  readonly drain: boolean
  readonly program: { readonly file: string; readonly sha256: string }
  /** For one machine. Throws FlotillaError if it cannot be worked on. */
  readonly target: (name: string) => Omit<AgentProgramDeps, 'signal' | 'detail' | 'name'>
  readonly drainDeps: Pick<DrainOptions, 'client' | 'clock'>
  readonly onReplaced: (name: string, version: string) => Promise<void>
  readonly emit: (event: RollingEvent) => void
  readonly signal: AbortSignal
}

/** Resolves when all are done, or one has failed and was told of. Rejects only when the signal aborts. */
export async function rollAgents(options: RollingOptions): Promise<void> {
  for (const name of options.names) {
    options.signal.throwIfAborted()
    try {
      await one(name, options)
    } catch (error) {
      options.signal.throwIfAborted()
      const known =
        error instanceof FlotillaError
          ? error
          : new FlotillaError('INTERNAL', {
              what: `The agent of ${name} could not be replaced.`,
              why: messageOf(error),
              next: `Look into ${LAYOUT.logs} there, then try again.`,
            })
      return options.emit({ type: 'failed', machine: name, ...known.toJSON() })
    }
  }
}

async function one(name: string, options: RollingOptions): Promise<void> {
  const { rollBack, drain, program, target, drainDeps, onReplaced, emit, signal } = options
  const detail = (text: string) => emit({ type: 'progress', machine: name, detail: text })
  const deps = { ...target(name), name, signal, detail }
  await using stack = new AsyncDisposableStack()
  if (drain) stack.use(await drainNode(name, { ...drainDeps, signal, detail }))
  const { from, to, version } = await (rollBack ? rollBackAgent(deps) : upgradeAgent(deps, program))
  await onReplaced(name, version)
  emit({ type: 'done', machine: name, from, to, version })
}
