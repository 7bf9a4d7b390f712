/** Reads an app's archive: 16 bytes of lengths, a directory as JSON, then the files one after another. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

interface Folder {
  readonly files: Readonly<Record<string, Entry>>
}
interface File {
  readonly size: number
  readonly offset: string
  readonly integrity: { readonly algorithm: string; readonly hash: string }
}
type Entry = Folder | File

export interface Archive {
  /** Contents by path, in the order in which they are in the archive. */
  readonly files: ReadonlyMap<string, Buffer>
}

/** Throws where a file is not what the directory says it is. */
export async function readArchive(path: string): Promise<Archive> {
  const bytes = await readFile(path)
  const headerSize = bytes.readUInt32LE(4)
  const root = JSON.parse(bytes.toString('utf8', 16, 16 + bytes.readUInt32LE(12))) as Folder
  const files = new Map<string, Buffer>()
  const walk = (folder: Folder, at: string) => {
    for (const [name, entry] of Object.entries(folder.files)) {
      const inner = at ? `${at}/${name}` : name
      if ('files' in entry) walk(entry, inner)
      else files.set(inner, contentOf(entry, inner))
    }
  }
  const contentOf = ({ size, offset, integrity }: File, name: string): Buffer => {
    const from = 8 + headerSize + Number(offset)
    const content = bytes.subarray(from, from + size)
    const hash = createHash('sha256').update(content).digest('hex')
    if (integrity.algorithm !== 'SHA256' || integrity.hash !== hash) throw new Error(`${name} is not what the archive says`)
    return content
  }
  walk(root, '')
  return { files }
}

export async function unpack({ files }: Archive, dir: string): Promise<void> {
  for (const [name, content] of files) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), content)
  }
}
