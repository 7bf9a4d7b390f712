import type { Readable } from 'node:stream'

/** All that a stream gives until it ends. */
export async function textOf(stream: Readable | null): Promise<string> {
  let text = ''
  stream?.on('data', (part: Buffer) => (text += part.toString()))
  if (stream) await new Promise((resolve) => stream.once('close', resolve))
  return text
}
