/** Which of the processor's helps QEMU can use here. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FlotillaError } from '../../base/errors.ts'
import type { GuestArchitecture } from './command-line.ts'

/** KVM on Linux, Apple's Hypervisor framework, or QEMU's own emulation of every instruction. */
export type Accelerator = 'kvm' | 'hvf' | 'tcg'

const NATIVE: Partial<Record<NodeJS.Platform, Accelerator>> = { linux: 'kvm', darwin: 'hvf' }

export const QEMU: Record<GuestArchitecture, string> = { x64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64' }

/** What a person is told of machines without hardware help. */
export const TCG_WARNING =
  'Hardware virtualization cannot be used here, so QEMU emulates each instruction: machines work, but start in a minute and run about ten times slower.'

export function hostArchitecture(arch: string = process.arch): GuestArchitecture | null {
  return arch === 'x64' || arch === 'arm64' ? arch : null
}

/** Milliseconds for a guest to run five instructions. */
const PROBE_MS = 10_000

/**
 * Has the system's own accelerator run a guest: some kernels offer one that fails at the first instruction, as in most virtual
 * machines. Throws MISSING_REQUIREMENT where there is no QEMU.
 */
export async function findAccelerator(
  architecture: GuestArchitecture,
  options: { platform?: NodeJS.Platform; program?: string; signal?: AbortSignal } = {},
): Promise<Accelerator> {
  const program = options.program ?? QEMU[architecture]
  if ((await exitCode(program, ['--version'], options.signal)) !== 0) throw noQemu(program)
  const native = NATIVE[options.platform ?? process.platform]
  return native && (await runsGuest(program, architecture, native, options.signal)) ? native : 'tcg'
}

/** What the probe tells QEMU's debug port, and the exit code that this becomes. Source: QEMU's hw/misc/debugexit. */
const PROBE_VALUE = 0x10
const PROBE_EXIT = PROBE_VALUE * 2 + 1
/** `mov al, value; out 0xf4, al; hlt; jmp hlt`, in the mode in which an x86 processor starts. */
const PROBE_CODE = [0xb0, PROBE_VALUE, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd]
/** Firmware is mapped so that its last 16 bytes are what the processor runs first. */
const FIRMWARE_SIZE = 65_536

async function runsGuest(
  program: string,
  architecture: GuestArchitecture,
  accelerator: Accelerator,
  signal?: AbortSignal,
): Promise<boolean> {
  const common = ['-accel', accelerator, '-cpu', 'host', '-m', '16', '-nodefaults', '-no-user-config', '-display', 'none']
  // Only PCs have a port through which the guest can end QEMU; elsewhere it has to do that QEMU can set a processor up.
  if (architecture !== 'x64')
    return (
      (await exitCode(program, ['-machine', 'virt', ...common, '-S'], signal, '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n')) === 0
    )
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-probe-'))
  try {
    const firmware = Buffer.alloc(FIRMWARE_SIZE)
    firmware.set(PROBE_CODE, FIRMWARE_SIZE - 16)
    await writeFile(join(dir, 'probe.bin'), firmware)
    const device = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1', '-bios', join(dir, 'probe.bin')]
    return (await exitCode(program, ['-machine', 'q35', ...common, ...device], signal)) === PROBE_EXIT
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Null if it could not be started or was ended for being too slow. With `qmp` it gets these commands. */
function exitCode(program: string, args: readonly string[], signal?: AbortSignal, qmp?: string): Promise<number | null> {
  return new Promise((resolve) => {
    const all = qmp === undefined ? args : [...args, '-qmp', 'stdio']
    const child = spawn(program, all, { stdio: ['pipe', 'ignore', 'ignore'], timeout: PROBE_MS, ...(signal ? { signal } : {}) })
    child.on('error', () => resolve(null))
    child.on('close', (code) => resolve(code))
    child.stdin.on('error', () => undefined)
    child.stdin.end(qmp ?? '')
  })
}

export function noQemu(program: string): FlotillaError {
  return new FlotillaError('MISSING_REQUIREMENT', {
    what: 'Virtual machines cannot be made on this computer.',
    why: `${program} is not installed, or does not run.`,
    next: 'Install QEMU: `apt-get install qemu-system-x86 qemu-utils`, `dnf install qemu-kvm qemu-img`, or `brew install qemu`.',
  })
}
