/** A way to a server that can be cut, as a laptop that changes its network does. */
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'

export interface Relay extends AsyncDisposable {
  /** "https://127.0.0.1:PORT", which ends at the server. */
  readonly url: string
  /** How many connections there were. */
  readonly connections: number
  /** Breaks all connections, with a reset; new ones are refused until `restore`. */
  cut(): void
  restore(): void
}

export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let connections = 0
  let isCut = false
  const server = net.createServer((socket) => {
    if (isCut) return void socket.resetAndDestroy()
    connections++
    const far = net.connect(Number(port), hostname)
    for (const [one, other] of [
      [socket, far],
      [far, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    cut,
    restore: () => void (isCut = false),
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
