/** Named pipes as streams. Node cannot make them itself, so coreutils' `mkfifo` does. */
import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants

export async function makeFifos(paths: readonly string[]): Promise<void> {
  await promisify(execFile)('mkfifo', ['-m', '600', ...paths])
}

/** An end of a pipe that keeps it from ending or blocking until it is let go. */
export function holdFifo(path: string): Disposable {
  let fd: number | null = openSync(path, O_RDWR | O_NONBLOCK)
  return {
    [Symbol.dispose]() {
      if (fd === null) return
      closeSync(fd)
      fd = null
    },
  }
}

/** Ends when the last writer closes. Hold the pipe until a writer has it open, or it ends at once. */
export function readFifo(path: string): Socket {
  return new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false })
}

/** The pipe must have a reader, or be held. */
export function writeFifo(path: string): Socket {
  return new Socket({ fd: openSync(path, O_WRONLY | O_NONBLOCK), readable: false, writable: true })
}
