import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { FlotillaError, isErrorCode, messageOf } from '../../base/errors.ts'
import type { Command } from '../command.ts'
import { connectRunning } from '../session.ts'

export const imageImport: Command = {
  name: 'image import',
  usage: 'FILE [--node NAME …] [--state DIR]',
  summary: 'Puts the images of an archive (docker save, or an OCI layout as tar) on the machines.',
  positionals: ['file'],
  options: { node: { type: 'string', multiple: true, help: 'only on this machine; may be given again (default: on all)' } },
  async run({ args, output, stateDir, signal }) {
    const file = args.need('file')
    const size = await sizeOf(file)
    using caller = await connectRunning(stateDir)
    const machines = args.list('node')
    const upload = caller.open('images.import', machines.length ? { machines: [...machines] } : {}, { signal })
    const send = async () => {
      for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) await upload.send({}, chunk)
      upload.end()
    }
    const sending = send()
    sending.catch(() => undefined)
    const done: { machine: string; images: string[] }[] = []
    let failed: FlotillaError | null = null
    for await (const { value } of upload) {
      if (value.type === 'progress') continue
      if (value.type === 'done') {
        done.push({ machine: value.machine, images: value.images })
        output.note(`  ✓ ${value.machine}: ${value.images.join(', ')}`)
        continue
      }
      const { what, why, next } = value
      output.note(`  ✗ ${value.machine}: ${what} ${why}`)
      failed ??= new FlotillaError(isErrorCode(value.code) ? value.code : 'IMAGE_IMPORT_FAILED', { what, why, next })
    }
    await sending
    if (failed) throw failed
    output.result({ file, bytes: size, machines: done }, `Imported on ${done.length} machine${done.length === 1 ? '' : 's'}.`)
  },
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    throw new FlotillaError('INVALID_INPUT', {
      what: `${file} cannot be read.`,
      why: `${messageOf(error)}.`,
      next: 'Name an archive made with `docker save`, `podman save` or `skopeo copy`.',
      cause: error,
    })
  }
}
