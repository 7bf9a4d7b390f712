/**
 * Sees that this computer's addresses changed: Wi-Fi to cable, another network, a VPN up or down. Works without a desktop, which is told
 * of it by the operating system; there is nothing like it in Node, so that it is looked for.
 */
import type { NetworkInterfaceInfo } from 'node:os'
import type { Clock } from '../../base/clock.ts'

/** What `os.networkInterfaces` gives. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** Milliseconds: one system call each time. */
const LOOK_MS = 3000
/** Ends of containers' and virtual machines' links, which come and go with them and lead nowhere else. */
const LOCAL = /^(lo|veth|tap|tun-?flotilla|docker|br-|virbr|cni|flotilla|fl[a-z0-9]*-)/

/** Calls `onChange` after each change, until it is disposed. */
export function watchNetwork(options: { clock: Clock; interfaces: () => Interfaces; onChange: () => void }): Disposable {
  let before = addressesOf(options.interfaces())
  return options.clock.setInterval(
    () => {
      const now = addressesOf(options.interfaces())
      if (now === before) return
      before = now
      options.onChange()
    },
    LOOK_MS,
    { unref: true },
  )
}

/** All addresses that reach further than this computer, as one text. */
export function addressesOf(interfaces: Interfaces): string {
  return Object.entries(interfaces)
    .filter(([name]) => !LOCAL.test(name))
    .flatMap(([name, all]) => (all ?? []).filter(isRoutable).map((one) => `${name} ${place(one)}`))
    .filter((line, i, lines) => lines.indexOf(line) === i)
    .sort((a, b) => (a < b ? -1 : 1))
    .join('\n')
}

function isRoutable({ internal, family, scopeid, address }: NetworkInterfaceInfo): boolean {
  if (internal) return false
  return family === 'IPv4' ? !address.startsWith('169.254.') : scopeid === 0
}

/** Temporary IPv6 addresses of a network change by the hour and mean nothing: of IPv6 the network counts. */
function place({ family, address }: NetworkInterfaceInfo): string {
  return family === 'IPv4' ? address : address.split(':').slice(0, 4).join(':')
}
