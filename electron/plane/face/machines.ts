/** The `machines.*` and `images.*` channels. */
import type { Channels } from '../../contracts/channels.ts'
import type { Duplex } from '../../contracts/duplex.ts'
import type { Handlers } from '../../contracts/server.ts'
import type { DownOf, UpOf } from '../../contracts/channel.ts'
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
  | 'machines.remove'
  | 'machines.shell'
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

    async 'images.import'({ machines: names }, duplex) {
      let sending = Promise.resolve()
      await machines.importImages(
        { machines: names, source: uploaded(duplex) },
        (event) => {
          sending = sending.then(() => duplex.send(event))
          sending.catch(() => undefined)
        },
        duplex.signal,
      )
      await sending
    },
  }
}

async function* uploaded(duplex: Duplex<UpOf<Channels['images.import']>, DownOf<Channels['images.import']>>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of duplex) if (bytes) yield bytes
}
