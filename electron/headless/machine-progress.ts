/** Following a Machine object until its work is over. */
import { FlotillaError, isErrorCode } from '../base/errors.ts'
import type { Machine, MachineSetup } from '../api/infra/v1alpha1/types.ts'
import type { Caller } from '../contracts/caller.ts'
import type { Channels } from '../contracts/channels.ts'
import type { Output } from './output.ts'

const MACHINES = { group: 'infra.flotilla.dev', version: 'v1alpha1', resource: 'machines' }

/**
 * Says each step as it ends. Resolves with the machine when it is Ready; rejects with what made it fail, or with MACHINE_NOT_FOUND
 * when it is deleted meanwhile. `before`: when a run began that is not the one to wait for.
 */
export async function untilReady(
  caller: Caller<Channels>,
  name: string,
  output: Output,
  signal: AbortSignal,
  before?: string,
): Promise<Machine> {
  const said = new Set<string>()
  return await followMachine(caller, name, signal, (machine) => {
    if (before !== undefined && machine.status.steps?.[0]?.startedAt === before) return null
    for (const step of machine.status.steps ?? []) {
      const line = `${step.name} ${step.state} ${step.startedAt}`
      if (!['done', 'failed'].includes(step.state) || said.has(line)) continue
      said.add(line)
      output.note(`  ${step.state === 'done' ? '✓' : '✗'} ${name}: ${step.title}${step.detail ? ` (${step.detail})` : ''}`)
    }
    const { failure, phase } = machine.status
    if (phase === 'Failed' && failure) throw new FlotillaError(isErrorCode(failure.code) ? failure.code : 'INTERNAL', failure)
    return phase === 'Ready' ? machine : null
  })
}

/** "It took 6.2 s and 41.3 MiB sent." */
export function costOf({ milliseconds, sentBytes }: MachineSetup): string {
  return `It took ${(milliseconds / 1000).toFixed(1)} s and ${(sentBytes / 2 ** 20).toFixed(1)} MiB sent.`
}

export async function untilGone(caller: Caller<Channels>, name: string, signal: AbortSignal): Promise<void> {
  try {
    await followMachine(caller, name, signal, (machine) => {
      const { failure, phase } = machine.status
      // What is said of a machine that is not being removed yet is of its set-up.
      if (machine.metadata.deletionTimestamp && phase === 'Removing' && failure)
        throw new FlotillaError(isErrorCode(failure.code) ? failure.code : 'INTERNAL', failure)
      return null
    })
  } catch (error) {
    if (!(error instanceof FlotillaError) || error.code !== 'MACHINE_NOT_FOUND') throw error
  }
}

/** Looks at each state of a machine until `look` returns something; rejects with MACHINE_NOT_FOUND when it is gone. */
export async function followMachine<T>(
  caller: Caller<Channels>,
  name: string,
  signal: AbortSignal,
  look: (machine: Machine) => T | null,
): Promise<T> {
  const stop = new AbortController()
  const live = caller.open(
    'kube.live',
    { ...MACHINES, fieldSelector: `metadata.name=${name}` },
    { signal: AbortSignal.any([signal, stop.signal]) },
  )
  try {
    for await (const { value } of live) {
      if (value.type === 'stale') continue
      const objects = (value.type === 'reset' ? value.items : value.upserts) as unknown as Machine[]
      for (const machine of objects) {
        const result = look(machine)
        if (result !== null) return result
      }
      if (value.type === 'reset' ? value.items.length === 0 : value.deletes.length > 0) throw gone(name)
    }
    throw gone(name)
  } finally {
    stop.abort()
  }
}

function gone(name: string): FlotillaError {
  return new FlotillaError('MACHINE_NOT_FOUND', {
    what: `There is no machine "${name}".`,
    why: 'It does not exist, or it was removed meanwhile.',
    next: 'See what there is with `flotilla node list`.',
  })
}
