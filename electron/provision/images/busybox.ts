/** Finds what the demo image is made of: a statically linked busybox. Source: System V gABI, ELF-64. */
import { readFile } from 'node:fs/promises'
import type { Architecture } from './elf.ts'

/** Where distributions put it (Debian's busybox-static, Alpine, Fedora). */
export const BUSYBOX_PATHS: readonly string[] = [
  '/usr/bin/busybox',
  '/bin/busybox',
  '/bin/busybox.static',
  '/usr/bin/busybox.static',
  '/usr/sbin/busybox',
  '/sbin/busybox',
]

const PT_INTERP = 3

/** The architecture of a static Linux executable; null for everything else (scripts, dynamically linked programs, other machines). */
export function staticArchitecture(program: Uint8Array): Architecture | null {
  if (program.length < 64) return null
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  if (view.getUint32(0) !== 0x7f454c46 || program[4] !== 2 || program[5] !== 1) return null
  const machine = view.getUint16(18, true)
  const architecture = machine === 62 ? 'amd64' : machine === 183 ? 'arm64' : null
  const offset = Number(view.getBigUint64(32, true))
  const size = view.getUint16(54, true)
  const count = view.getUint16(56, true)
  if (offset + size * count > program.length) return null
  for (let i = 0; i < count; i++) if (view.getUint32(offset + i * size, true) === PT_INTERP) return null
  return architecture
}

/** A static busybox of this architecture on this computer, or null. */
export async function findBusybox(architecture: Architecture, paths = BUSYBOX_PATHS): Promise<Uint8Array | null> {
  for (const path of paths) {
    const program = await readFile(path).catch(() => null)
    if (program && staticArchitecture(program) === architecture) return program
  }
  return null
}
