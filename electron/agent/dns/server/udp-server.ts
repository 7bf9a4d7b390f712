import { createSocket, type RemoteInfo } from 'node:dgram'
import { deferred } from '../../../base/async.ts'

/** Null for no answer. Must not reject. */
export type Answerer = (message: Uint8Array) => Promise<Uint8Array | null>

/** Something that listens, until it is disposed or fails. */
export interface Listening extends AsyncDisposable {
  readonly port: number
  /** Resolves with why it does not listen any more, if that was nobody's wish. */
  readonly failed: Promise<Error>
}

/** Bytes that may wait while this process is busy; the kernel may allow less. */
const RECEIVE_BUFFER = 1 << 20

/** Rejects if it cannot listen there. */
export async function listenUdp(address: string, port: number, answer: Answerer): Promise<Listening> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER })
  const failed = deferred<Error>()
  const closed = deferred<void>()
  let open = true
  socket.on('close', () => {
    open = false
    closed.resolve()
  })
  const reply = async (message: Uint8Array, { address: client, port: clientPort }: RemoteInfo) => {
    const bytes = await answer(message)
    // A client that has gone is no fault of this end.
    if (bytes && open) socket.send(bytes, clientPort, client, () => undefined)
  }
  socket.on('message', (message, from) => void reply(message, from))
  const bound = deferred<void>()
  socket.on('error', (error) => {
    bound.reject(error)
    failed.resolve(error)
    if (open) socket.close()
  })
  socket.bind({ address, port, exclusive: true }, () => bound.resolve())
  await bound.promise
  return {
    port: socket.address().port,
    failed: failed.promise,
    async [Symbol.asyncDispose]() {
      if (open) socket.close()
      await closed.promise
    },
  }
}
