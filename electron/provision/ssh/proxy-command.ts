/** ProxyCommand: a command of this computer whose input and output are the connection to a host. Source: ssh_config(5). */
import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'

/** Runs the command in the user's shell, as ssh does. It ends with the stream; what it says on its standard error is in the stream's error. */
export function proxyCommand(command: string, signal?: AbortSignal): Duplex {
  signal?.throwIfAborted()
  const shell = process.platform === 'win32' ? { shell: true } : { shell: process.env['SHELL'] || '/bin/sh' }
  const child = spawn(process.platform === 'win32' ? command : `exec ${command}`, {
    ...shell,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-1000)))
  const duplex = Duplex.from({ readable: child.stdout, writable: child.stdin })
  child.on('error', (error) => duplex.destroy(error))
  child.on('exit', (code) => {
    if (code) duplex.destroy(new Error(said.trim().split('\n').at(-1) || `ProxyCommand ended with code ${code}`))
  })
  duplex.on('close', () => child.kill())
  const onAbort = () => duplex.destroy(signal?.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  duplex.once('close', () => signal?.removeEventListener('abort', onAbort))
  return duplex
}
