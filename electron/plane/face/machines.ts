/** The `machines.*` and `images.*` channels. */
import type { Channels } from '../../contracts/channels.ts'
import type { Duplex } from '../../contracts/duplex.ts'
import type { Handlers } from '../../contracts/server.ts'
import type { DownOf, UpOf } from '../../contracts/channel.ts'
import { logScript } from '../../provision/machines/node-logs.ts'
import type { ExecResult } from '../../provision/ssh/exec.ts'
import type { Machines } from '../../provision/machines.ts'

type MachineHandlers = Pick<
  Handlers<Channels>,
  | 'machines.scanHostKey'
  | 'machines.preflight'
  | 'machines.add'
  | 'machines.addSandbox'
  | 'machines.poke'
  | 'machines.retry'
  | 'machines.cancel'
  | 'machines.upgrade'
  | 'machines.remove'
  | 'machines.shell'
  | 'machines.run'
  | 'machines.logs'
  | 'images.import'
>

export function machineHandlers(machines: Machines): MachineHandlers {
  const done = async (work: Promise<void>) => {
    await work
    return {}
  }
  return {
    'machines.scanHostKey': (address, signal) => machines.scanHostKey(address, signal),
    'machines.preflight': async (address, signal) => [...(await machines.preflight(address, signal))],
    'machines.add': (machine, signal) => machines.add(machine, signal),
    'machines.addSandbox': (options) => machines.addSandbox(options),
    'machines.poke': ({ reason }) => {
      machines.poke(reason)
      return Promise.resolve({})
    },
    'machines.retry': (options) => done(machines.retry(options)),
    'machines.cancel': (options) => done(machines.cancel(options)),
    'machines.remove': (options) => done(machines.remove(options)),

    async 'machines.shell'({ name, size }, duplex) {
      using session = await machines.shell({ name, size: size ?? null }, duplex.signal)
      const input = async () => {
        for await (const { value, bytes } of duplex) {
          if (value.type === 'resize') session.resize(value.size)
          else if (bytes) await session.write(bytes)
        }
        session.end()
      }
      input().catch(() => undefined)
      for await (const { type, bytes } of session.output) await duplex.send({ type }, bytes)
      await duplex.send({ type: 'exit', code: await session.exit })
    },

    async 'machines.run'({ name, script, root = false }, duplex) {
      const input = async function* () {
        for await (const { bytes } of duplex) if (bytes) yield bytes
      }
      await printed(duplex, (onStdout) => machines.run({ name, script, root }, { stdin: input(), onStdout, signal: duplex.signal }))
    },

    async 'machines.logs'({ name, source, lines = 1000, follow = false }, duplex) {
      const { signal } = duplex
      const script = logScript(source, lines, follow)
      const stdin = follow ? untilEnded(signal) : ''
      await printed(duplex, (onStdout) => machines.run({ name, script, root: true }, { stdin, onStdout, signal }))
    },

    async 'machines.upgrade'(options, duplex) {
      await relayed(duplex, (emit) => machines.upgrade(options, emit, duplex.signal))
    },

    async 'images.import'({ machines: names }, duplex) {
      await relayed(duplex, (emit) => machines.importImages({ machines: names, source: uploaded(duplex) }, emit, duplex.signal))
    },
  }
}

type Printing = DownOf<Channels['machines.run']>

/** Sends what a command prints, and how it ended. */
async function printed(
  duplex: { send(value: Printing, bytes?: Uint8Array): Promise<void> },
  run: (onStdout: (chunk: Buffer) => Promise<void>) => Promise<ExecResult>,
): Promise<void> {
  const { code, stderr } = await run((chunk) => duplex.send({ type: 'stdout' }, chunk))
  if (stderr) await duplex.send({ type: 'stderr' }, Buffer.from(stderr))
  await duplex.send({ type: 'exit', code })
}

/** No input, whose end comes with the signal: by that a command that follows something sees that nobody listens any more. */
async function* untilEnded(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  yield new Uint8Array()
}

/** Sends what is emitted, in order; resolves when all is sent. */
async function relayed<E>(duplex: { send(event: E): Promise<void> }, work: (emit: (event: E) => void) => Promise<void>): Promise<void> {
  let sending = Promise.resolve()
  await work((event) => {
    sending = sending.then(() => duplex.send(event))
    sending.catch(() => undefined)
  })
  await sending
}

async function* uploaded(duplex: Duplex<UpOf<Channels['images.import']>, DownOf<Channels['images.import']>>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of duplex) if (bytes) yield bytes
}
