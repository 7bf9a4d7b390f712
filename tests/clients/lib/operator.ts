/** An operator's process. It can be killed at any point; when it ends of itself it is started again, as a kubelet would do it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

export interface OperatorProcess extends AsyncDisposable {
  /** What it has printed. */
  readonly output: string
  /** The present process has become the leader. */
  readonly leads: boolean
  /** SIGKILL; it stays dead. */
  kill(): Promise<void>
}

const RESTART = 200

export function startOperator(command: readonly string[], env: Readonly<Record<string, string>>): OperatorProcess {
  const [program = '', ...args] = command
  const { PATH = '' } = process.env
  let output = ''
  /** Of the present process alone, without what it says of faults. */
  let said = ''
  let killed = false
  let child: ChildProcess
  const end = () => child.kill('SIGKILL')
  const launch = () => {
    said = ''
    child = spawn(program, args, { env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => (output += String(part)))
    child.stdout?.on('data', (part) => (said += String(part)))
    child.once('exit', () => {
      if (!killed) setTimeout(() => killed || launch(), RESTART)
    })
  }
  launch()
  process.once('exit', end)
  const kill = async () => {
    killed = true
    process.off('exit', end)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    end()
    await exit
  }
  return {
    get output() {
      return output
    },
    get leads() {
      return /^leading$/m.test(said)
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
