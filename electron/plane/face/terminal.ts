/** `terminal.local`: a shell on this computer, through node-pty, which is an optional part: it needs a compiler when it is installed. */
import { homedir } from 'node:os'
import type * as NodePty from 'node-pty'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Handlers } from '../../contracts/server.ts'

type Pty = Pick<typeof NodePty, 'spawn'>

export async function loadNodePty(): Promise<Pty> {
  try {
    const loaded = (await import('node-pty')) as Pty & { default?: Pty }
    return loaded.default ?? loaded
  } catch (error) {
    throw new FlotillaError('UNSUPPORTED', {
      what: 'No terminal on this computer can be opened.',
      why: `The node-pty module does not load: ${messageOf(error).split('\n')[0]}`,
      next: 'Install a compiler (Debian: build-essential) and run `npm ci` again. Terminals into pods and machines work without it.',
      cause: error,
    })
  }
}

export function terminalHandlers(kubeconfig: string): Pick<Handlers<Channels>, 'terminal.local'> {
  return {
    async 'terminal.local'({ size }, duplex) {
      const { spawn } = await loadNodePty()
      const shell = process.platform === 'win32' ? 'powershell.exe' : (process.env['SHELL'] ?? '/bin/sh')
      const pty = spawn(shell, process.platform === 'win32' ? [] : ['-l'], {
        name: 'xterm-256color',
        ...size,
        cwd: homedir(),
        env: { ...process.env, KUBECONFIG: kubeconfig },
        encoding: null,
      })
      const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)))
      const onOver = () => pty.kill()
      duplex.signal.addEventListener('abort', onOver, { once: true })
      // node-pty types its data as text even where no encoding is set.
      pty.onData((data: unknown) => {
        pty.pause()
        const bytes = typeof data === 'string' ? Buffer.from(data) : (data as Buffer)
        duplex.send({ type: 'stdout' }, bytes).then(
          () => pty.resume(),
          () => pty.kill(),
        )
      })
      const input = async () => {
        for await (const { value, bytes } of duplex) {
          if (value.type === 'resize') pty.resize(value.size.cols, value.size.rows)
          else if (bytes) pty.write(Buffer.from(bytes))
        }
      }
      input().catch(() => undefined)
      const code = await exited
      duplex.signal.removeEventListener('abort', onOver)
      if (!duplex.signal.aborted) await duplex.send({ type: 'exit', code })
    },
  }
}
