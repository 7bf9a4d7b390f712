/** Names on this computer that are derived from the state folder, so that several states share it without meeting. */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { FlotillaError } from '../../base/errors.ts'

export interface SandboxNames {
  /** Absolute folder of all sandboxes of this state. */
  readonly dir: string
  /** At most 15 characters, as all link names. */
  readonly bridge: string
  /** Below the root of each cgroup hierarchy. */
  readonly cgroup: string
  /** Of nftables' family `ip`. */
  readonly table: string
  /** Folder of one sandbox. */
  folder(name: string): string
  /** The end of its link that is here. */
  link(name: string): string
  /** Locally administered, the same after each start. */
  mac(name: string): string
}

const hex = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length)

export function sandboxNames(stateDir: string): SandboxNames {
  const state = resolve(stateDir)
  const id = hex(state, 8)
  const dir = join(state, 'sandbox')
  const own = (name: string, length: number) => hex(`${state}\0${name}`, length)
  return {
    dir,
    bridge: `fl-${id}`,
    cgroup: `flotilla-${id}`,
    table: `flotilla-${id}`,
    folder: (name) => join(dir, checkName(name)),
    link: (name) => `fv${own(name, 12)}`,
    mac: (name) => `02:${own(name, 10).match(/../g)?.join(':')}`,
  }
}

/** A DNS label: it becomes a folder, a host name and the name of a Node. */
export function checkName(name: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name
  throw new FlotillaError('INVALID_INPUT', {
    what: `"${name}" cannot be the name of a machine.`,
    why: 'It must be 1 to 63 lower-case letters, digits and hyphens, and begin and end with a letter or digit.',
    next: 'Choose another name.',
  })
}
