/** Header blocks of SPDY/3: names and values with their lengths, compressed in one stream for each direction of a connection. */
import { constants, createDeflate, createInflate } from 'node:zlib'
import type { Deflate, Inflate } from 'node:zlib'
import { DICTIONARY } from './dictionary.ts'
import { SpdyError, word } from './frames.ts'

export type Headers = Readonly<Record<string, string>>

const OPTIONS = { dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH }

/** Calls must come one after the other, in the order of the frames. */
export class HeaderBlocks {
  readonly #inflate = createInflate(OPTIONS)
  readonly #deflate = createDeflate(OPTIONS)

  async decode(block: Uint8Array): Promise<Headers> {
    const plain = await through(this.#inflate, block)
    const headers: Record<string, string> = {}
    let at = 4
    const text = () => {
      const length = plain.readUInt32BE(at)
      at += 4 + length
      return plain.toString('utf8', at - length, at)
    }
    try {
      for (let left = plain.readUInt32BE(0); left > 0; left--) headers[text().toLowerCase()] = text()
    } catch (error) {
      throw new SpdyError('a header block is cut short', { cause: error })
    }
    return headers
  }

  encode(headers: Headers): Promise<Buffer> {
    const entries = Object.entries(headers)
    const texts = entries.flat().flatMap((text) => [word(Buffer.byteLength(text)), Buffer.from(text)])
    return through(this.#deflate, Buffer.concat([word(entries.length), ...texts]))
  }
}

function through(stream: Inflate | Deflate, data: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(new SpdyError(`a header block cannot be read: ${error.message}`, { cause: error }))
    stream.once('error', fail)
    stream.write(data, () => {
      stream.off('error', fail)
      resolve((stream.read() as Buffer | null) ?? Buffer.alloc(0))
    })
  })
}
