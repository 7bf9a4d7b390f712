/** What a person is told about virtual machines. */
import { FlotillaError } from '../../base/errors.ts'
import { QmpError } from './qmp.ts'

export function noSuchMachine(name: string): FlotillaError {
  return new FlotillaError('MACHINE_NOT_FOUND', {
    what: `There is no virtual machine "${name}" on this computer.`,
    why: 'Its folder is gone, or it was never made here.',
    next: 'See what there is with `flotilla vm list`; what is gone can be removed and added anew.',
  })
}

export function noSuchSnapshot(name: string, label: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `${name} has no snapshot "${label}".`,
    why: 'It was not taken, or was deleted.',
    next: `See what there is with \`flotilla vm snapshot ${name}\`.`,
  })
}

export function alreadyOff(name: string, action: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `${name} cannot be ${action}.`,
    why: 'It does not run.',
    next: `Start it first: \`flotilla vm start ${name}\`.`,
  })
}

export function broken(name: string, why: string): FlotillaError {
  return new FlotillaError('INTERNAL', {
    what: `The virtual machine "${name}" did not come up.`,
    why,
    next: `Look into its serial log with \`flotilla vm log ${name}\`, then try again.`,
  })
}

export function unsupportedHere(): FlotillaError {
  return new FlotillaError('UNSUPPORTED', {
    what: 'Virtual machines cannot be made on this computer.',
    why: 'Flotilla drives QEMU on Linux and macOS, on x64 and arm64 processors.',
    next: 'Add a machine over SSH instead: a Linux in WSL 2 or in another hypervisor will do.',
  })
}

export function snapshotExists(name: string, label: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `No snapshot of ${name} was taken.`,
    why: `It has one that is called "${label}".`,
    next: 'Choose another name, or delete that one.',
  })
}

/** What QEMU refused; anything else as it is. */
export function saveFailed(name: string, error: unknown): unknown {
  if (!(error instanceof QmpError)) return error
  const full = /No space left/i.test(error.message)
  return new FlotillaError(full ? 'DISK_FULL' : 'INTERNAL', {
    what: `The memory of ${name} could not be saved.`,
    why: full ? 'The disk of this computer is full.' : `QEMU says: ${error.message}.`,
    next: full ? 'Make room, then try again. The machine goes on.' : 'The machine goes on. Stop it instead.',
    cause: error,
  })
}
