import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Caller } from '../../contracts/caller.ts'
import type { Channels } from '../../contracts/channels.ts'
import { usage, type Command } from '../command.ts'
import { connectRunning } from '../session.ts'

export const nodeCp: Command = {
  name: 'node cp',
  usage: '(FILE NAME:PATH | NAME:PATH FILE) [--root] [--state DIR]',
  summary: 'Copies a file to or from a machine, through the link that is there: whole, or not at all.',
  positionals: ['from', 'to'],
  options: { root: { type: 'boolean', help: 'as root on the machine, where that needs no password' } },
  async run({ args, output, stateDir, signal }) {
    const [from, to] = [remoteOf(args.need('from')), remoteOf(args.need('to'))]
    if ((typeof from === 'string') === (typeof to === 'string')) throw usage('One of the two must be NAME:PATH, the other a file here.')
    using caller = await connectRunning(stateDir)
    const root = args.flag('root')
    const bytes =
      typeof from === 'string'
        ? await send(caller, from, to as Remote, root, signal)
        : await fetchFile(caller, from, to as string, root, signal)
    output.result({ bytes }, `${bytes} bytes copied.`)
  },
}

interface Remote {
  readonly machine: string
  readonly path: string
}

/** "node-1:/etc/hosts". A path with a slash before its colon is one of this computer, as for scp. */
export function remoteOf(text: string): Remote | string {
  const found = /^([a-z0-9][a-z0-9-]*):(.*)$/s.exec(text)
  return found ? { machine: found[1] ?? '', path: found[2] ?? '' } : text
}

/** One argument for a POSIX shell. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

async function send(
  caller: Caller<Channels>,
  file: string,
  { machine, path }: Remote,
  root: boolean,
  signal: AbortSignal,
): Promise<number> {
  const found = await stat(file).catch((error: unknown) => {
    throw unreadable(file, messageOf(error))
  })
  if (!found.isFile()) throw unreadable(file, 'It is not a file.')
  const script = `path=${quoted(path || '.')}
[ ! -d "$path" ] || path=$path/${quoted(basename(file))}
part=$path.part.$$
trap 'rm -f "$part"' EXIT
cat > "$part" && [ "$(wc -c < "$part")" -eq ${found.size} ] && chmod ${(found.mode & 0o777).toString(8)} "$part" && mv -f "$part" "$path"`
  const running = caller.open('machines.run', { name: machine, script, root }, { signal })
  const sending = (async () => {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>)
      await running.send({ type: 'stdin' }, chunk)
    running.end()
  })()
  sending.catch(() => undefined)
  await untilExit(running, machine, () => Promise.resolve())
  return found.size
}

async function fetchFile(
  caller: Caller<Channels>,
  { machine, path }: Remote,
  to: string,
  root: boolean,
  signal: AbortSignal,
): Promise<number> {
  const target = (await stat(to).catch(() => null))?.isDirectory() ? join(to, basename(path)) : to
  const part = `${target}.part`
  let size = 0
  try {
    await using file = await open(part, 'w', 0o600)
    const running = caller.open('machines.run', { name: machine, script: `exec cat ${quoted(path)}`, root }, { signal })
    running.end()
    await untilExit(running, machine, async (bytes) => {
      await file.write(bytes)
      size += bytes.length
    })
    await file.sync()
    await rename(part, target)
  } finally {
    await rm(part, { force: true })
  }
  return size
}

async function untilExit(
  running: AsyncIterable<{ value: { type: 'stdout' | 'stderr' } | { type: 'exit'; code: number | null }; bytes?: Uint8Array }>,
  machine: string,
  onStdout: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  let said = ''
  for await (const { value, bytes } of running) {
    if (value.type === 'exit') {
      if (value.code === 0) return
      throw new FlotillaError('REMOTE_COMMAND_FAILED', {
        what: `The file could not be copied.`,
        why: `${machine} said: ${said.trim() || `it ended with ${value.code}`}`,
        next: 'Check the path and whose it is; with --root it is read and written as root.',
      })
    }
    if (value.type === 'stdout' && bytes) await onStdout(bytes)
    if (value.type === 'stderr' && bytes) said += Buffer.from(bytes).toString()
  }
}

function unreadable(file: string, why: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', { what: `${file} cannot be read.`, why, next: 'Name a file; pack a folder with tar first.' })
}
