/** `kube.exec`: between a duplex of the contract and Kubernetes' channel protocol (v4 and v5.channel.k8s.io). */
import type { ChannelSocket } from '../../client/client.ts'
import type { DownOf, UpOf } from '../../contracts/channel.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Duplex } from '../../contracts/duplex.ts'
import type { Status } from '../../machinery/status.ts'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
const RESIZE = 4
/** v5 only: its one data byte names the channel that will carry no more. */
const CLOSE = 255

type Up = UpOf<Channels['kube.exec']>
type Down = DownOf<Channels['kube.exec']>

export async function runChannels(socket: ChannelSocket, duplex: Duplex<Up, Down>, size?: { cols: number; rows: number }): Promise<void> {
  const resize = (to: { cols: number; rows: number }) =>
    socket.send(frame(RESIZE, Buffer.from(JSON.stringify({ Width: to.cols, Height: to.rows }))))
  const up = async () => {
    if (size) await resize(size)
    for await (const { value, bytes } of duplex) {
      if (value.type === 'resize') await resize(value.size)
      else if (bytes) await socket.send(frame(STDIN, bytes))
    }
    if (socket.protocol === 'v5.channel.k8s.io') await socket.send(Uint8Array.of(CLOSE, STDIN))
  }
  const down = async () => {
    let exit: Down = { type: 'exit', code: null, message: 'The connection to the container ended.' }
    for await (const message of socket.messages) {
      const data = message.subarray(1)
      if (message[0] === STDOUT && data.length) await duplex.send({ type: 'stdout' }, data)
      else if (message[0] === STDERR && data.length) await duplex.send({ type: 'stderr' }, data)
      else if (message[0] === STATUS) exit = exitOf(JSON.parse(Buffer.from(data).toString('utf8')) as Status)
    }
    await duplex.send(exit)
  }
  // Output decides when it is over; input may end long before, or fail because the other side is gone.
  const input = up().catch(() => undefined)
  await down()
  await socket[Symbol.asyncDispose]()
  void input
}

function frame(channel: number, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 1)
  out[0] = channel
  out.set(data, 1)
  return out
}

function exitOf(status: Status): Down {
  if (status.status === 'Success') return { type: 'exit', code: 0 }
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message
  return { type: 'exit', code: code === undefined ? null : Number(code), message: status.message ?? '' }
}
