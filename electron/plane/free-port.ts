import { createServer, type AddressInfo } from 'node:net'
import { systemCode } from '../base/errors.ts'
import { randomInt, type Random } from '../base/random.ts'

/** Below the ports that systems give to outgoing connections: one that a cluster keeps must not be taken by chance after a reboot. */
const FROM = 20_000
const COUNT = 10_000
const TRIES = 20

/** A port on the loopback that nobody listens on now. */
export async function freePort(random: Random): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = await tryPort(FROM + randomInt(random, COUNT))
    if (port !== null) return port
  }
  return (await tryPort(0)) ?? Promise.reject(new Error('the system gives no port'))
}

async function tryPort(wanted: number): Promise<number | null> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(wanted, '127.0.0.1', resolve)
    })
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE' || systemCode(error) === 'EACCES') return null
    throw error
  }
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
