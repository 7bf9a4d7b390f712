/** Joins a client to a command in a container. */
import type { Readable } from 'node:stream'
import { messageOf } from '../../../base/errors.ts'
import type { Executor, ExecOptions } from '../../runtime/exec.ts'
import { detailOf } from '../../runtime/runtime-error.ts'
import { exitStatus, failureStatus } from './stream-peer.ts'
import type { StreamPeer } from './stream-peer.ts'

/** Ends when the command has, or the client went away, which ends the command. */
export async function serveExec(peer: StreamPeer, executor: Executor, containerId: string, options: ExecOptions): Promise<void> {
  let session
  try {
    session = await executor.exec(containerId, options)
  } catch (error) {
    return peer.finish(failureStatus(`error executing command in container: ${detailOf(error)}`))
  }
  await using running = session
  peer.onResize(({ width, height }) => void running.resize(width, height).catch(() => undefined))
  if (peer.stdin && running.stdin) peer.stdin.pipe(running.stdin)
  const gone = new Promise<'gone'>((resolve) => peer.signal.addEventListener('abort', () => resolve('gone'), { once: true }))
  const outputs = Promise.all([forward(running.stdout, peer, 'stdout'), forward(running.stderr, peer, 'stderr')])
  try {
    const code = await Promise.race([running.exit, gone])
    if (code === 'gone') return
    await outputs
    await peer.finish(exitStatus(code))
  } catch (error) {
    await peer.finish(failureStatus(messageOf(error)))
  } finally {
    if (running.stdin) peer.stdin?.unpipe(running.stdin)
  }
}

/** What the client does not want to see is read all the same, so that the command is not held up. */
async function forward(output: Readable | null, peer: StreamPeer, stream: 'stdout' | 'stderr'): Promise<void> {
  const wanted = stream === 'stdout' ? peer.hasStdout : peer.hasStderr
  try {
    for await (const part of output ?? []) if (wanted) await peer.write(stream, part as Buffer)
  } catch {
    // The stream was closed because the command is over or the client is gone.
  }
}
