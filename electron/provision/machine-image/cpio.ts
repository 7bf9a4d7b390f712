/** Archives in the "newc" form of cpio, which Linux unpacks as its initial RAM disk. Source: cpio(5), Documentation/driver-api/early-userspace/buffer-format.rst. */

export type CpioEntry =
  | { readonly path: string; readonly type: 'directory' }
  | { readonly path: string; readonly type: 'file'; readonly content: Uint8Array; readonly mode: number }
  | { readonly path: string; readonly type: 'character'; readonly major: number; readonly minor: number }

const TYPES = { directory: 0o040000, file: 0o100000, character: 0o020000 }

/** Folders must come before what lies in them. Everything belongs to root. */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = []
  entries.forEach((entry, index) => parts.push(...member(entry, index + 1)))
  parts.push(...member({ path: 'TRAILER!!!', type: 'file', content: new Uint8Array(), mode: 0 }, 0))
  return Buffer.concat(parts)
}

function member(entry: CpioEntry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${entry.path}\0`)
  const content = entry.type === 'file' ? entry.content : new Uint8Array()
  const permissions = entry.type === 'file' ? entry.mode : entry.type === 'directory' ? 0o755 : 0o600
  const mode = inode === 0 ? 0 : TYPES[entry.type] | permissions
  const [major, minor] = entry.type === 'character' ? [entry.major, entry.minor] : [0, 0]
  const fields = [inode, mode, 0, 0, entry.type === 'directory' ? 2 : 1, 0, content.length, 0, 0, major, minor, name.length, 0]
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`)
  return [header, name, padding(header.length + name.length), content, padding(content.length)]
}

const padding = (length: number) => new Uint8Array((4 - (length % 4)) % 4)
