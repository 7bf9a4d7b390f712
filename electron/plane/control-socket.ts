/**
 * The contract over a Unix socket: how the command line speaks to a plane that runs. Only who may open the socket's folder (mode 0700)
 * gets in. Frames: 4 bytes big-endian length, one byte kind (0 text, 1 binary), then the frame of `contracts/protocol`.
 */
import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { FlotillaError, systemCode } from '../base/errors.ts'
import { decodeMessage, encodeMessage, type Message, type Port } from '../contracts/protocol.ts'
import { temporarySockets } from './state-dir.ts'

const MAX_FRAME = 64 * 1024 * 1024
const HEAD = 5

/** Cuts what arrives into frames; each byte is copied once at the most. Throws a RangeError on a frame that is too long. */
export function frameReader(onFrame: (frame: Buffer, binary: boolean) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = []
  let length = 0
  /** Bytes up to the end of the frame that is being read; only the head as long as that is unknown. */
  let needed = HEAD
  return (chunk) => {
    chunks.push(chunk)
    length += chunk.length
    while (length >= needed) {
      const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)
      const body = all.readUInt32BE(0)
      if (body > MAX_FRAME) throw new RangeError(`a frame of ${body} bytes is too long`)
      const end = HEAD + body
      const whole = length >= end
      const rest = whole ? all.subarray(end) : all
      chunks = rest.length ? [rest] : []
      length = rest.length
      needed = whole ? HEAD : end
      if (whole) onFrame(all.subarray(HEAD, end), all[4] === 1)
    }
  }
}

export function portOverSocket(socket: Socket): Port {
  const closes: (() => void)[] = []
  const listeners: ((message: Message) => void)[] = []
  const read = frameReader((frame, binary) => {
    const message = decodeMessage(binary ? frame : frame.toString('utf8'))
    for (const listener of listeners) listener(message)
  })
  const onData = (chunk: Buffer) => {
    try {
      read(chunk)
    } catch {
      socket.destroy()
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
      const head = Buffer.alloc(HEAD)
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
  const isFile = process.platform !== 'win32'
  if (isFile) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await checkOwner(dirname(path))
    await rm(path, { force: true })
  }
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
  if (isFile) await chmod(path, 0o600)
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
  await checkOwner(dirname(path))
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

/** Secrets go over the socket, and in the temporary folder someone else may have been there before. */
async function checkOwner(folder: string): Promise<void> {
  if (folder !== temporarySockets()) return
  const found = await lstat(folder).catch(() => null)
  if (!found || (found.isDirectory() && found.uid === process.getuid?.())) return
  throw new FlotillaError('STATE_UNREADABLE', {
    what: `The control socket in ${folder} is not used.`,
    why: 'The folder belongs to another user.',
    next: 'Remove it, or choose a state folder with a shorter path.',
  })
}
