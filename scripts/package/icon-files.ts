/** The containers in which Windows and macOS keep an icon's sizes; each entry is a PNG. */

/** PNG images of one icon by their width in pixels. */
export type Sizes = ReadonlyMap<number, Buffer>

/** Sizes of an .ico, in the order in which Windows looks. */
export const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256] as const

/** What Apple calls an image of a width; a picture for a sharp display has a type of its own. */
const ICNS_TYPES = [
  ['icp4', 16],
  ['ic11', 32],
  ['icp5', 32],
  ['ic12', 64],
  ['ic07', 128],
  ['ic13', 256],
  ['ic08', 256],
  ['ic14', 512],
  ['ic09', 512],
  ['ic10', 1024],
] as const

export const ICNS_SIZES = [...new Set(ICNS_TYPES.map(([, size]) => size))]

/** As Microsoft describes the ICO format: a header, a directory of 16 bytes an image, the images. */
export function ico(images: Sizes): Buffer {
  const header = Buffer.alloc(6)
  header.writeUInt16LE(1, 2)
  header.writeUInt16LE(ICO_SIZES.length, 4)
  let offset = header.length + 16 * ICO_SIZES.length
  const entries = ICO_SIZES.map((size) => {
    const data = image(images, size)
    const entry = Buffer.alloc(16)
    // 0 stands for 256.
    entry.writeUInt8(size % 256, 0)
    entry.writeUInt8(size % 256, 1)
    entry.writeUInt16LE(1, 4)
    entry.writeUInt16LE(32, 6)
    entry.writeUInt32LE(data.length, 8)
    entry.writeUInt32LE(offset, 12)
    offset += data.length
    return entry
  })
  return Buffer.concat([header, ...entries, ...ICO_SIZES.map((size) => image(images, size))])
}

/** As Apple describes the ICNS format: "icns", the length of the file, then a type, a length and a PNG for each image. */
export function icns(images: Sizes): Buffer {
  const parts = ICNS_TYPES.flatMap(([type, size]) => {
    const data = image(images, size)
    return [head(type, data.length), data]
  })
  const body = Buffer.concat(parts)
  return Buffer.concat([head('icns', body.length), body])
}

function head(type: string, length: number): Buffer {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32BE(length + 8, 4)
  return head
}

function image(images: Sizes, size: number): Buffer {
  const data = images.get(size)
  if (!data) throw new Error(`there is no image of ${size} pixels`)
  return data
}
