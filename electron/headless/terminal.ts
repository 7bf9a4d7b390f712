import type { DownOf, UpOf } from '../contracts/channel.ts'
import type { Channels } from '../contracts/channels.ts'
import type { Duplex } from '../contracts/duplex.ts'

type Terminal = Duplex<DownOf<Channels['machines.shell']>, UpOf<Channels['machines.shell']>>

/** Joins this process's terminal to a remote one until it ends; returns its exit code. */
export async function runTerminal(remote: Terminal): Promise<number> {
  const { stdin, stdout, stderr } = process
  const raw = stdin.isTTY === true
  const onResize = () => void remote.send({ type: 'resize', size: { cols: stdout.columns, rows: stdout.rows } }).catch(() => undefined)
  const up = async () => {
    for await (const chunk of stdin as AsyncIterable<Buffer>) await remote.send({ type: 'stdin' }, chunk)
    remote.end()
  }
  if (raw) stdin.setRawMode(true)
  stdout.on('resize', onResize)
  up().catch(() => undefined)
  try {
    for await (const { value, bytes } of remote) {
      if (value.type === 'exit') return value.code ?? 1
      const to = value.type === 'stderr' ? stderr : stdout
      if (bytes && !to.write(bytes)) await new Promise((resolve) => to.once('drain', resolve))
    }
    return 1
  } finally {
    if (raw) stdin.setRawMode(false)
    stdout.off('resize', onResize)
    stdin.destroy()
  }
}
