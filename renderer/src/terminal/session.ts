/** One run of a shell, wherever it is: bytes out, bytes and sizes in, then an end. */
import type { DownOf, UpOf } from '../../../electron/contracts/channel.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'
import type { Duplex } from '../../../electron/contracts/duplex.ts'
import type { Face } from '../face/face.ts'
import { failureOf, type Failure } from '../face/failure.ts'
import { t } from '../i18n/index.ts'
import { SHELL, type TerminalTarget } from '../stores/dock.ts'

export interface Size {
  readonly cols: number
  readonly rows: number
}

export type End =
  { readonly type: 'exit'; readonly code: number | null; readonly message: string } | { readonly type: 'failed'; readonly failure: Failure }

export interface Session {
  type(data: string): void
  resize(size: Size): void
  /** Resolves when it is over; null if it was closed from here. */
  readonly ended: Promise<End | null>
}

type Stream = Duplex<DownOf<Channels['kube.exec']>, UpOf<Channels['kube.exec']>>

function openStream(face: Face, target: TerminalTarget, size: Size, signal: AbortSignal): Stream {
  switch (target.type) {
    case 'exec':
      return face.open(
        'kube.exec',
        {
          namespace: target.namespace,
          pod: target.pod,
          ...(target.container ? { container: target.container } : {}),
          command: [...SHELL],
          tty: true,
          size,
        },
        { signal },
      )
    case 'attach':
      return face.open(
        'kube.attach',
        { namespace: target.namespace, pod: target.pod, container: target.container, tty: target.tty, size },
        { signal },
      )
    case 'machine':
      return face.open('machines.shell', { name: target.name, size }, { signal })
    case 'local':
      return face.open('terminal.local', { size }, { signal })
  }
}

export function startSession(
  face: Face,
  target: TerminalTarget,
  size: Size,
  write: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Session {
  let stream: Stream
  try {
    stream = openStream(face, target, size, signal)
  } catch (error) {
    const failure = failureOf(error, t('dock.failed'))
    return { type: () => undefined, resize: () => undefined, ended: Promise.resolve(failure && { type: 'failed', failure }) }
  }
  const encoder = new TextEncoder()
  // Over is over: what is typed after that has nowhere to go.
  const post = (value: UpOf<Channels['kube.exec']>, bytes?: Uint8Array) => void stream.send(value, bytes).catch(() => undefined)

  async function read(): Promise<End | null> {
    try {
      for await (const { value, bytes } of stream) {
        if (value.type === 'exit') return { type: 'exit', code: value.code, message: value.message ?? '' }
        if (bytes) await write(bytes)
      }
      return { type: 'exit', code: null, message: '' }
    } catch (error) {
      if (signal.aborted) return null
      const failure = failureOf(error, t('dock.failed'))
      return failure && { type: 'failed', failure }
    }
  }
  return {
    type: (data) => post({ type: 'stdin' }, encoder.encode(data)),
    resize: (to) => post({ type: 'resize', size: to }),
    ended: read(),
  }
}
