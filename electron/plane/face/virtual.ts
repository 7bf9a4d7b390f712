/** The `vm.*` channels. */
import { statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { FlotillaError } from '../../base/errors.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Handlers } from '../../contracts/server.ts'
import { imageBuildSupport } from '../../provision/machine-image/support.ts'
import type { Machines } from '../../provision/machines.ts'

type VirtualHandlers = Pick<
  Handlers<Channels>,
  | 'vm.support'
  | 'vm.add'
  | 'vm.reboot'
  | 'vm.log'
  | 'vm.console'
  | 'vm.disk'
  | 'vm.snapshot'
  | 'vm.restore'
  | 'vm.deleteSnapshot'
  | 'vm.compact'
>

export function virtualHandlers(machines: Machines, stateDir: string): VirtualHandlers {
  return {
    async 'vm.support'() {
      const { machines: virtual, images } = machines.virtual()
      const { bavail, bsize } = await statfs(stateDir)
      const cannotBuild = imageBuildSupport()
      const found = await virtual.accelerator().catch((error: unknown) => {
        if (error instanceof FlotillaError) return error
        throw error
      })
      return {
        ...(found instanceof FlotillaError ? { lacks: found.message } : { accelerator: found }),
        imageReady: (await images.own()) !== null,
        ...(cannotBuild ? { cannotBuild: cannotBuild.message } : {}),
        cpus: availableParallelism(),
        memoryBytes: totalmem(),
        diskBytes: bavail * bsize,
      }
    },
    'vm.add': (options) => machines.addVirtual(options),
    async 'vm.reboot'({ name, hard }, signal) {
      await machines.virtual().machines.reboot(name, { hard: hard ?? false, signal })
      return {}
    },
    'vm.log': async ({ name, bytes }) => ({ text: await machines.virtual().machines.log(name, bytes) }),
    async 'vm.console'({ name }, duplex) {
      const socket = await machines.virtual().machines.console(name)
      const abort = () => socket.destroy()
      duplex.signal.addEventListener('abort', abort, { once: true })
      const input = async () => {
        for await (const { bytes } of duplex) if (bytes) socket.write(bytes)
        socket.end()
      }
      input().catch(abort)
      try {
        for await (const chunk of socket as AsyncIterable<Buffer>) await duplex.send({ type: 'stdout' }, chunk)
      } finally {
        duplex.signal.removeEventListener('abort', abort)
        socket.destroy()
      }
    },
    async 'vm.disk'({ name }) {
      const { usedBytes, snapshots } = await machines.virtual().machines.disk(name)
      return { usedBytes, snapshots: [...snapshots] }
    },
    async 'vm.snapshot'({ name, label }, signal) {
      await machines.virtual().machines.snapshot(name, label, signal)
      return {}
    },
    async 'vm.restore'({ name, label }, signal) {
      await machines.virtual().machines.restore(name, label, signal)
      machines.poke('resume')
      return {}
    },
    async 'vm.deleteSnapshot'({ name, label }, signal) {
      await machines.virtual().machines.deleteSnapshot(name, label, signal)
      return {}
    },
    'vm.compact': ({ name }) => machines.virtual().machines.compact(name),
  }
}
