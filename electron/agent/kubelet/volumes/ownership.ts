/** `fsGroup`: a group that may use a volume's files. Source: kubernetes `volume/volume_linux.go`. */
import { chmod, lchown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const SETGID = 0o2000
const READ_WRITE = 0o660
const READ_ONLY = 0o440
const ENTER = 0o110

/** Gives everything under `path` to the group, which may then read, and write unless `readOnly`; new files inherit the group. */
export async function giveToGroup(path: string, group: number, readOnly: boolean): Promise<void> {
  const stat = await lstat(path)
  // -1 leaves the owner as it is.
  await lchown(path, -1, group)
  if (stat.isSymbolicLink()) return
  const mask = readOnly ? READ_ONLY : READ_WRITE
  await chmod(path, (stat.mode & 0o7777) | mask | (stat.isDirectory() ? SETGID | ENTER : 0))
  if (!stat.isDirectory()) return
  for (const entry of await readdir(path)) await giveToGroup(join(path, entry), group, readOnly)
}

/** Whether a volume's root shows that its files were given to the group before: what containers made of them since is theirs. */
export async function belongsTo(path: string, group: number): Promise<boolean> {
  const stat = await lstat(path)
  return stat.gid === group && (stat.mode & SETGID) !== 0
}
