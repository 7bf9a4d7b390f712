/** Distributions by what they descend from. Source: os-release(5), "ID" and "ID_LIKE". */
import type { PackageManager } from '../packages.ts'

export type OsFamily = 'debian' | 'fedora' | 'rhel' | 'suse' | 'arch' | 'alpine' | 'other'

const FAMILIES: Readonly<Record<string, OsFamily>> = {
  debian: 'debian',
  ubuntu: 'debian',
  raspbian: 'debian',
  fedora: 'fedora',
  rhel: 'rhel',
  centos: 'rhel',
  rocky: 'rhel',
  almalinux: 'rhel',
  ol: 'rhel',
  amzn: 'rhel',
  suse: 'suse',
  opensuse: 'suse',
  sles: 'suse',
  arch: 'arch',
  archarm: 'arch',
  alpine: 'alpine',
}

/** Of a system's own ID where that is known, else of the first in its ID_LIKE. */
export function osFamily(id: string, like: string): OsFamily {
  for (const name of [id, ...like.split(/\s+/)]) {
    const family = FAMILIES[name.replace(/^opensuse-.*/, 'opensuse')]
    if (family) return family
  }
  return 'other'
}

/** What must be known before packages of a family can be installed; null if its own repositories have all of them. */
export function packageHint(family: OsFamily, manager: PackageManager): string | null {
  if (family === 'rhel' && manager === 'dnf')
    return "Its own repositories may have no containerd: add EPEL, or Docker's repository, whose package is containerd.io."
  return null
}

export type Libc = { readonly kind: 'glibc' | 'musl'; readonly version: string }

/** Of what `getconf GNU_LIBC_VERSION` or `ldd --version` prints; null if it is neither's. */
export function parseLibc(text: string): Libc | null {
  const glibc = /(?:glibc |GNU libc\) |GLIBC )(\d+\.\d+)/i.exec(text)?.[1] ?? /^ldd \(.*\) (\d+\.\d+)/.exec(text)?.[1]
  if (glibc) return { kind: 'glibc', version: glibc }
  const musl = /musl libc.*?Version (\d[\w.]*)/s.exec(text)?.[1]
  return musl ? { kind: 'musl', version: musl } : null
}
