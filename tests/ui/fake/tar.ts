/** A container's tar, for `kubectl cp`'s two commands: what comes in is kept, and can be fetched again. */
import type { Channels } from '../../../electron/contracts/channels.ts'
import type { Handlers } from '../../../electron/contracts/server.ts'

type Stream = Parameters<Handlers<Channels>['kube.exec']>[1]

const BLOCK = 512
const archives = new Map<string, Buffer>()

/** `tar xmf - -C FOLDER`, and `tar cf - -C FOLDER NAME`. */
export async function runTar(command: readonly string[], duplex: Stream): Promise<void> {
  const [, , , , folder = '', name] = command
  if (name === undefined) {
    const parts: Uint8Array[] = []
    for await (const { bytes } of duplex) if (bytes) parts.push(bytes)
    const all = Buffer.concat(parts)
    const file = all.toString('utf8', 0, 100).split('\0')[0] ?? ''
    const size = Number.parseInt(all.toString('latin1', 124, 135), 8)
    archives.set(`${folder}/${file}`, Buffer.concat([all.subarray(0, BLOCK + Math.ceil(size / BLOCK) * BLOCK), Buffer.alloc(2 * BLOCK)]))
    return duplex.send({ type: 'exit', code: 0 })
  }
  const archive = archives.get(`${folder}/${name}`)
  if (!archive) {
    await duplex.send({ type: 'stderr' }, Buffer.from(`tar: ${name}: No such file or directory\n`))
    return duplex.send({ type: 'exit', code: 2 })
  }
  await duplex.send({ type: 'stdout' }, archive)
  await duplex.send({ type: 'exit', code: 0 })
}
