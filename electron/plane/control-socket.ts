/**
 * The contract over a Unix socket: how the command line speaks to a plane that runs. Only who may open the socket's folder (mode 0700)
 * gets in. Frames: 4 bytes big-endian length, one byte kind (0 text, 1 binary), then the frame of `contracts/protocol`.
 */
import { rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { FlotillaError, systemCode } from '../base/errors.ts'
import { decodeMessage, encodeMessage, type Message, type Port } from '../contracts/protocol.ts'

const MAX_FRAME = 64 * 1024 * 1024

export function portOverSocket(socket: Socket): Port {
  const closes: (() => void)[] = []
  const listeners: ((message: Message) => void)[] = []
  let rest: Buffer = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk
    while (rest.length >= 5) {
      const length = rest.readUInt32BE(0)
      if (length > MAX_FRAME) return void socket.destroy()
      if (rest.length < 5 + length) return
      const frame = rest.subarray(5, 5 + length)
      const binary = rest[4] === 1
      rest = rest.subarray(5 + length)
      let message: Message
      try {
        message = decodeMessage(binary ? frame : frame.toString('utf8'))
      } catch {
        return void socket.destroy()
      }
      for (const listener of listeners) listener(message)
    }
  }
  socket.on('data', onData)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => closes.forEach((listener) => listener()))
  return {
    post(message) {
      if (socket.destroyed) return
      const encoded = encodeMessage(message)
      const frame = typeof encoded === 'string' ? Buffer.from(encoded) : encoded
      const head = Buffer.alloc(5)
      head.writeUInt32BE(frame.length, 0)
      head[4] = typeof encoded === 'string' ? 0 : 1
      socket.cork()
      socket.write(head)
      socket.write(frame)
      socket.uncork()
    },
    onMessage: (listener) => listeners.push(listener),
    onClose: (listener) => closes.push(listener),
    close: () => socket.end(),
  }
}

/** Listens until disposed; a socket file that a killed plane left is replaced. The state folder's lock is held by the caller. */
export async function listenControl(path: string, serve: (port: Port) => void): Promise<AsyncDisposable> {
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(portOverSocket(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(path, { force: true })
    },
  }
}

/** Connects to the plane that runs on a state folder. */
export async function connectControl(path: string): Promise<Port> {
  const socket = createConnection(path)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
  } catch (error) {
    throw new FlotillaError('PLANE_UNREACHABLE', {
      what: 'No Flotilla is running on this state folder.',
      why: systemCode(error) === 'ENOENT' ? 'It has no control socket.' : 'Its control socket does not answer.',
      next: 'Start it with `flotilla serve` or `npm start`, or name another folder with --state.',
      cause: error,
    })
  }
  return portOverSocket(socket)
}
