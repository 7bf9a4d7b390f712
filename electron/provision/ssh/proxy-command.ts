/** ProxyCommand: a command of this computer whose input and output are the connection to a host. Source: ssh_config(5). */
import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'

/**
 * Runs the command in the user's shell, as ssh does. It ends with the stream. One that fails destroys the stream with what it said last
 * on its standard error. Like a socket it counts its bytes.
 */
export function proxyCommand(command: string, signal?: AbortSignal): Duplex {
  signal?.throwIfAborted()
  const windows = process.platform === 'win32'
  const child = spawn(windows ? command : `exec ${command}`, {
    shell: windows || process.env['SHELL'] || '/bin/sh',
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  let said = ''
  const counted = { read: 0, written: 0 }
  const duplex = new Duplex({
    read: () => void child.stdout.resume(),
    write(chunk: Buffer, _encoding, callback) {
      counted.written += chunk.length
      child.stdin.write(chunk, callback)
    },
    final: (callback) => void child.stdin.end(callback),
    destroy(error, callback) {
      child.kill()
      callback(error)
    },
  })
  child.stdin.on('error', () => undefined)
  child.stdout.on('data', (chunk: Buffer) => {
    counted.read += chunk.length
    if (!duplex.push(chunk)) child.stdout.pause()
  })
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-1000)))
  child.on('error', (error) => duplex.destroy(error))
  // Only now is everything read, and known how it ended.
  child.on('close', (code) => {
    if (code) duplex.destroy(new Error(said.trim().split('\n').at(-1) || `it ended with code ${code}`))
    else duplex.push(null)
  })
  const onAbort = () => duplex.destroy(signal?.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  duplex.once('close', () => signal?.removeEventListener('abort', onAbort))
  return Object.defineProperties(duplex, {
    bytesRead: { get: () => counted.read },
    bytesWritten: { get: () => counted.written },
  })
}
