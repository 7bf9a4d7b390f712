/** Names on this computer that are derived from the state folder, so that several states share it without meeting. */
import { createHash } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { checkName } from '../sandbox/names.ts'

export interface MachinePaths {
  readonly folder: string
  readonly state: string
  readonly qmp: string
  readonly serial: string
}

export interface VirtualNames {
  /** Absolute folder of all virtual machines of this state. */
  readonly dir: string
  /** Multicast group and port that stand for the machines' shared segment. It is never routed: RFC 2365's local scope. */
  readonly segment: { readonly group: string; readonly port: number }
  /** The third byte of the segment's 10.78.N.0/24, to begin with. */
  readonly subnet: number
  machine(name: string): MachinePaths
  /** QEMU's range, the same after each start. */
  macs(name: string): { out: string; segment: string }
}

/** Bytes that the path of a Unix socket may have on every system. */
const LONGEST_SOCKET = 100
const FIRST_PORT = 20_000

export function virtualNames(stateDir: string): VirtualNames {
  const state = resolve(stateDir)
  const dir = join(state, 'vm')
  const digest = createHash('sha256').update(state).digest()
  const own = (name: string) => createHash('sha256').update(`${state}\0${name}`).digest('hex')
  const mac = (hex: string) => `52:54:00:${hex.match(/../g)?.join(':')}`
  return {
    dir,
    segment: { group: `239.255.${digest[0]}.${digest[1]}`, port: FIRST_PORT + (digest.readUInt16BE(2) % 20_000) },
    subnet: digest[4] ?? 0,
    machine(name) {
      const folder = join(dir, checkName(name))
      const socket = (kind: string) => {
        const near = join(folder, `${kind}.sock`)
        return Buffer.byteLength(near) < LONGEST_SOCKET ? near : join(farSockets(), `${own(name).slice(0, 16)}-${kind}.sock`)
      }
      return { folder, state: join(folder, 'machine.json'), qmp: socket('qmp'), serial: socket('serial') }
    },
    macs(name) {
      const hex = own(name)
      return { out: mac(hex.slice(0, 6)), segment: mac(hex.slice(6, 12)) }
    },
  }
}

/** Where sockets lie whose folder has too long a path. */
export function farSockets(): string {
  return join(tmpdir(), `flotilla-${userInfo().uid}`)
}
