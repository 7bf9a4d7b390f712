/** The far end of exec and attach, whatever protocol it speaks. Source: kubernetes `apimachinery/pkg/util/remotecommand`. */
import type { Readable } from 'node:stream'
import type { Status } from '../../../machinery/status.ts'

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

export interface StreamPeer {
  /** Ends when the client closes it; null if it sends none. */
  readonly stdin: Readable | null
  readonly hasStdout: boolean
  readonly hasStderr: boolean
  /** Resolves when more may be written. */
  write(stream: 'stdout' | 'stderr', data: Uint8Array): Promise<void>
  onResize(listener: (size: TerminalSize) => void): void
  /** Tells how it ended, and ends the connection. */
  finish(status: Omit<Status, 'kind' | 'apiVersion' | 'code'>): Promise<void>
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

export type EndStatus = Parameters<StreamPeer['finish']>[0]

export const SUCCESS: EndStatus = { metadata: {}, status: 'Success' }

export function exitStatus(code: number): EndStatus {
  if (code === 0) return SUCCESS
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    // The reason that clients look for; it is not among those of the API.
    reason: 'NonZeroExitCode' as never,
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

export function failureStatus(message: string): EndStatus {
  return {
    ...{ metadata: {}, status: 'Failure', reason: 'InternalError' },
    ...{ message: `Internal error occurred: ${message}`, details: { causes: [{ message }] } },
  }
}
