/** Network namespaces of a test, joined by a switch, each with a resident. They are taken away with the test. */
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { systemCommands } from '../../electron/agent/net/commands.ts'
import type { Question } from './resident.ts'

export interface Namespace {
  /** Of `/run/netns`. */
  readonly id: string
  /** Standard output of a program in it; throws CommandError. */
  run(program: string, ...args: string[]): Promise<string>
  ask(question: Question): Promise<string>
  /** Starts a module of this folder in it, and waits until it says that it is there. */
  start(module: string, args: readonly string[], onLog?: (text: string) => void): Promise<ChildProcess>
}

export interface Wire extends AsyncDisposable {
  /** A machine on the switch, with this address on its `eth0`. */
  machine(name: string, address: string): Promise<Namespace>
  /** A namespace without links. */
  empty(name: string): Promise<Namespace>
}

export async function layWire(): Promise<Wire> {
  const prefix = `fn${randomBytes(3).toString('hex')}`
  const stack = new AsyncDisposableStack()
  const hub = await addNamespace(`${prefix}-hub`, stack)
  await hub.run('ip', 'link', 'add', 'hub', 'type', 'bridge')
  await hub.run('ip', 'link', 'set', 'hub', 'up')
  const inhabit = async (name: string) => {
    const bare = await addNamespace(`${prefix}-${name}`, stack)
    await bare.run('ip', 'link', 'set', 'lo', 'up')
    const resident = await startIn(bare.id, 'resident.ts', [name])
    stack.defer(() => end(resident))
    let last = 0
    const ask = async (question: Question) => {
      const id = ++last
      const answer = new Promise<string>((resolve) => {
        const listen = (message: { id: number; text: string }) => {
          if (message.id !== id) return
          resident.off('message', listen)
          resolve(message.text)
        }
        resident.on('message', listen)
      })
      resident.send({ id, question })
      return answer
    }
    const start: Namespace['start'] = async (module, args, onLog) => {
      const child = await startIn(bare.id, module, args, onLog)
      stack.defer(() => end(child))
      return child
    }
    return { ...bare, ask, start }
  }
  return {
    empty: inhabit,
    async machine(name, address) {
      const made = await inhabit(name)
      await hub.run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', made.id)
      await hub.run('ip', 'link', 'set', name, 'master', 'hub', 'up')
      await made.run('ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      await made.run('ip', 'link', 'set', 'eth0', 'up')
      return made
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function addNamespace(id: string, stack: AsyncDisposableStack) {
  await systemCommands.run('ip', ['netns', 'add', id])
  stack.defer(async () => void (await systemCommands.run('ip', ['netns', 'del', id])))
  return {
    id,
    run: (program: string, ...args: string[]) => systemCommands.run('nsenter', [`--net=/run/netns/${id}`, program, ...args]),
  }
}

/** `nsenter` becomes the program, so its process is the module's. */
async function startIn(id: string, module: string, args: readonly string[], onLog?: (text: string) => void): Promise<ChildProcess> {
  const options = {
    execPath: 'nsenter',
    execArgv: [`--net=/run/netns/${id}`, process.execPath],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  }
  const child = fork(join(import.meta.dirname, module), [...args], options as Parameters<typeof fork>[2] & object)
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000)
    onLog?.(text)
  })
  const early = once(child, 'exit').then(([code]) => {
    throw new Error(`${module} ended with ${String(code)}: ${said}`)
  })
  await Promise.race([once(child, 'message'), early])
  early.catch(() => undefined)
  return child
}

export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
