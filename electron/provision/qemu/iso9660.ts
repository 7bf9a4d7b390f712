/** Small CD images with long names: ISO 9660 (ECMA-119) with a Joliet tree, files in the root folder only. */

export interface IsoFile {
  readonly name: string
  readonly content: Uint8Array
}

const SECTOR = 2048
/** Volume descriptors begin here; what comes before is free for boot loaders. */
const DESCRIPTORS = 16
const PRIMARY = 1
const SUPPLEMENTARY = 2
const TERMINATOR = 255
/** UCS-2 level 3. */
const JOLIET = [0x25, 0x2f, 0x45]

/** `label`: at most 16 characters. `at`: the time that all entries get. The folder must fit into one sector: some twenty files. */
export function isoImage(label: string, files: readonly IsoFile[], at: Date): Buffer {
  // Sectors: 16 to 18 descriptors, 19 to 22 path tables (little and big endian, for each tree), 23 and 24 the two root folders, then files.
  const trees = [
    { root: 23, little: 19, big: 20, wide: false },
    { root: 24, little: 21, big: 22, wide: true },
  ] as const
  let next = 25
  const placed = files.map((file, index) => {
    const sector = next
    next += Math.max(1, Math.ceil(file.content.length / SECTOR))
    return { ...file, sector, short: `FILE${String(index).padStart(4, '0')}.;1` }
  })
  const image = Buffer.alloc(next * SECTOR)
  for (const [index, tree] of trees.entries()) {
    descriptor(image, DESCRIPTORS + index, { label, sectors: next, at, ...tree })
    pathTable(image, tree.little, tree.root, false)
    pathTable(image, tree.big, tree.root, true)
    let offset = tree.root * SECTOR
    for (const self of ['\0', '\x01'])
      offset += record(image, offset, { name: Buffer.from(self, 'latin1'), sector: tree.root, size: SECTOR, folder: true, at })
    for (const file of placed)
      offset += record(image, offset, {
        name: tree.wide ? wide(file.name) : Buffer.from(file.short),
        ...{ sector: file.sector, size: file.content.length, folder: false, at },
      })
    if (offset > (tree.root + 1) * SECTOR) throw new RangeError('too many files for one folder')
  }
  image.set([TERMINATOR, ...Buffer.from('CD001'), 1], (DESCRIPTORS + 2) * SECTOR)
  for (const { sector, content } of placed) image.set(content, sector * SECTOR)
  return image
}

function descriptor(
  image: Buffer,
  sector: number,
  options: { label: string; sectors: number; at: Date; root: number; little: number; big: number; wide: boolean },
): void {
  const at = sector * SECTOR
  const text = (value: string) => (options.wide ? wide(value) : Buffer.from(value))
  const fill = (from: number, length: number, value: string) => {
    const blank = options.wide ? wide(' '.repeat(length / 2)) : Buffer.alloc(length, ' ')
    image.set(blank, at + from)
    image.set(text(value).subarray(0, length), at + from)
  }
  image.set([options.wide ? SUPPLEMENTARY : PRIMARY, ...Buffer.from('CD001'), 1], at)
  fill(8, 32, '')
  fill(40, 32, options.label)
  both32(image, at + 80, options.sectors)
  if (options.wide) image.set(JOLIET, at + 88)
  both16(image, at + 120, 1)
  both16(image, at + 124, 1)
  both16(image, at + 128, SECTOR)
  both32(image, at + 132, PATH_TABLE)
  image.writeUInt32LE(options.little, at + 140)
  image.writeUInt32BE(options.big, at + 148)
  record(image, at + 156, { name: Buffer.from([0]), sector: options.root, size: SECTOR, folder: true, at: options.at })
  for (const [from, length] of [
    [190, 128],
    [318, 128],
    [446, 128],
    [574, 128],
    [702, 36],
    [740, 36],
    [776, 36],
  ] as const)
    fill(from, length, '')
  const stamp = Buffer.from(
    `${options.at
      .toISOString()
      .replace(/[-:TZ.]/g, '')
      .slice(0, 14)}00\0`,
  )
  for (const from of [813, 830]) image.set(stamp, at + from)
  for (const from of [847, 864]) image.set(Buffer.from(`${'0'.repeat(16)}\0`), at + from)
  image[at + 881] = 1
}

/** Bytes of a path table that has the root alone. */
const PATH_TABLE = 10

function pathTable(image: Buffer, sector: number, root: number, bigEndian: boolean): void {
  const at = sector * SECTOR
  image[at] = 1
  if (bigEndian) image.writeUInt32BE(root, at + 2)
  else image.writeUInt32LE(root, at + 2)
  if (bigEndian) image.writeUInt16BE(1, at + 6)
  else image.writeUInt16LE(1, at + 6)
}

/** Writes a directory record and returns its length. */
function record(image: Buffer, at: number, entry: { name: Buffer; sector: number; size: number; folder: boolean; at: Date }): number {
  const length = 33 + entry.name.length + (entry.name.length % 2 === 0 ? 1 : 0)
  image[at] = length
  both32(image, at + 2, entry.sector)
  both32(image, at + 10, entry.size)
  const time = entry.at
  const date = [
    time.getUTCFullYear() - 1900,
    time.getUTCMonth() + 1,
    time.getUTCDate(),
    time.getUTCHours(),
    time.getUTCMinutes(),
    time.getUTCSeconds(),
    0,
  ]
  image.set(date, at + 18)
  image[at + 25] = entry.folder ? 2 : 0
  both16(image, at + 28, 1)
  image[at + 32] = entry.name.length
  image.set(entry.name, at + 33)
  return length
}

/** Joliet's names: UCS-2, big endian. */
function wide(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

function both16(image: Buffer, at: number, value: number): void {
  image.writeUInt16LE(value, at)
  image.writeUInt16BE(value, at + 2)
}

function both32(image: Buffer, at: number, value: number): void {
  image.writeUInt32LE(value, at)
  image.writeUInt32BE(value, at + 4)
}
