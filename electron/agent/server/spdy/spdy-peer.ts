/** Exec and attach over SPDY: a stream for each of their streams. Source: kubernetes `apimachinery/pkg/util/remotecommand`, v4.channel.k8s.io. */
import { finished } from 'node:stream/promises'
import { deadline } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import type { EndStatus, StreamPeer, TerminalSize } from '../streams/stream-peer.ts'
import { parseSize } from '../streams/websocket-peer.ts'
import type { PeerStreams } from '../streams/websocket-peer.ts'
import type { SpdySession, SpdyStream } from './session.ts'

export const COMMAND_PROTOCOLS = ['v4.channel.k8s.io']

/** Milliseconds for the client to open its streams. */
const OPENING = 30_000

/** Waits for all streams that the client announced. */
export async function spdyPeer(session: SpdySession, wanted: PeerStreams & { tty: boolean }, clock: Clock): Promise<StreamPeer> {
  const expected = new Set(['error'])
  for (const name of ['stdin', 'stdout', 'stderr'] as const) if (wanted[name]) expected.add(name)
  if (wanted.tty) expected.add('resize')
  const streams = new Map<string, SpdyStream>()
  using limit = deadline(clock, OPENING)
  const late = new Promise<never>((_resolve, reject) => {
    limit.signal.addEventListener('abort', () => reject(new Error('timed out waiting for client to create streams')), { once: true })
  })
  while (streams.size < expected.size) {
    const { value } = await Promise.race([session.opened.next(), late])
    if (!value) throw new Error('the client went away before it opened its streams')
    const type = value.headers['streamtype'] ?? ''
    if (expected.has(type)) streams.set(type, value)
  }

  const gone = new AbortController()
  // Nothing more is opened; the queue ends with the connection.
  void session.opened.next().then(() => gone.abort(new DOMException('the client went away', 'AbortError')))
  const channel = (name: string) => streams.get(name)?.channel
  for (const name of ['stdout', 'stderr', 'error']) channel(name)?.resume()
  return {
    stdin: channel('stdin') ?? null,
    hasStdout: wanted.stdout,
    hasStderr: wanted.stderr,
    signal: gone.signal,
    write: (stream, data) =>
      new Promise((resolve) => {
        const to = channel(stream)
        if (!to || to.destroyed) return resolve()
        to.write(data, () => resolve())
      }),
    onResize(listener: (size: TerminalSize) => void) {
      channel('resize')?.on('data', (part: Buffer) => {
        const size = parseSize(part)
        if (size) listener(size)
      })
    },
    async finish(status: EndStatus) {
      const outputs = ['stdout', 'stderr'].map(channel).filter((stream) => stream !== undefined)
      for (const stream of outputs) stream.end()
      const told = channel('error')?.end(JSON.stringify(status))
      for (const stream of told ? [...outputs, told] : outputs) await finished(stream, { readable: false }).catch(() => undefined)
      await session[Symbol.asyncDispose]()
    },
  }
}
