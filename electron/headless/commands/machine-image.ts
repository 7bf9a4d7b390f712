import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { locate } from '../../plane/locations.ts'
import { buildOwnImage, pullCloudImage } from '../../plane/machine-image.ts'
import type { Command, CommandContext } from '../command.ts'

const depsOf = ({ stateDir, signal, entry }: CommandContext) => ({
  ...{ stateDir, signal, clock: systemClock, random: systemRandom },
  runtimeDirs: locate(entry).runtimeDirs,
})

export const imageBuildMachine: Command = {
  name: 'image build-machine',
  usage: '[--state DIR] [--json]',
  summary: 'Builds the disk image of virtual machines from Debian 12 packages. The first machine does so by itself.',
  async run(context) {
    const { output } = context
    const { id, disk, fresh } = await buildOwnImage(depsOf(context), ({ phase, detail }) => output.note(`  ${phase}: ${detail}`))
    output.result({ id, disk, built: fresh }, fresh ? `Built ${disk}.` : `It is there already: ${disk}.`)
  },
}

export const imagePullMachine: Command = {
  name: 'image pull-machine',
  usage: 'URL --sha256 SUM [--state DIR] [--json]',
  summary: 'Downloads a cloud image for virtual machines, or goes on with a download that was cut off.',
  positionals: ['url'],
  options: { sha256: { type: 'string', help: 'the checksum that it must have' } },
  async run(context) {
    const { args, output } = context
    let shown = -1
    const { id, disk } = await pullCloudImage(
      depsOf(context),
      { url: args.need('url'), sha256: args.need('sha256') },
      ({ received, total }) => {
        const percent = total ? Math.floor((received / total) * 100) : Math.floor(received / 2 ** 24)
        if (percent === shown) return
        shown = percent
        output.note(total ? `  ${percent} % of ${Math.round(total / 2 ** 20)} MiB` : `  ${Math.round(received / 2 ** 20)} MiB`)
      },
    )
    output.result({ id, disk }, `Downloaded ${disk}.`)
  },
}
