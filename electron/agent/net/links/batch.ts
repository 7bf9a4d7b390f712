/** Many commands of ip(8) or bridge(8) in one process; what fails does not keep the rest from being done. */
import { CommandError, type Commands } from '../commands.ts'
import type { Step } from './changes.ts'

export interface FailedStep {
  readonly step: Step
  /** What the program said. */
  readonly error: string
}

/** Those of `ip` first: entries of a device need it to be there. Returns what failed, in order. */
export async function runSteps(commands: Commands, steps: readonly Step[]): Promise<FailedStep[]> {
  const failed: FailedStep[] = []
  for (const program of ['ip', 'bridge'] as const) {
    const own = steps.filter((step) => step.program === program)
    if (own.length) failed.push(...(await batch(commands, program, own)))
  }
  return failed
}

async function batch(commands: Commands, program: Step['program'], steps: readonly Step[]): Promise<FailedStep[]> {
  try {
    await commands.run(program, ['-force', '-batch', '-'], `${steps.map(({ command }) => command).join('\n')}\n`)
    return []
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const failed = readFailures(error.stderr, steps)
    if (failed.length) return failed
    throw error
  }
}

/** Each failure is told by the lines before "Command failed -:LINE". */
function readFailures(stderr: string, steps: readonly Step[]): FailedStep[] {
  const failed: FailedStep[] = []
  let said: string[] = []
  for (const line of stderr.split('\n')) {
    const at = /^Command failed .*:(\d+)$/.exec(line)?.[1]
    if (at === undefined) {
      if (line.trim()) said.push(line.trim().replace(/^(Error|RTNETLINK answers): /, ''))
      continue
    }
    const step = steps[Number(at) - 1]
    if (step) failed.push({ step, error: said.join(' ') || 'it failed' })
    said = []
  }
  return failed
}
