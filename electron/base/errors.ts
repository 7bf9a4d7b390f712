/**
 * Errors that a person sees. Each says what failed, why, and what to do next, and carries a stable code that UI, CLI and
 * tests branch on. Between components of the cluster only Kubernetes' Status crosses (see `machinery/status.ts`).
 */
export const ERROR_CODES = {
  /** The command line was not understood. Exit code 2. */
  USAGE: 2,
  /** A file, flag or field has a value that cannot be used. */
  INVALID_INPUT: 2,
  /** Something outside the program that it needs is missing (a package, a right, a device). */
  MISSING_REQUIREMENT: 3,
  /** The state folder is in use by another running Flotilla. */
  STATE_LOCKED: 4,
  /** The state folder was written by a newer version, or is damaged. */
  STATE_UNREADABLE: 4,
  /** The disk is full, here or on a machine. */
  DISK_FULL: 5,
  /** A port or address is taken. */
  ADDRESS_IN_USE: 6,
  /** No plane answers where one was expected. */
  PLANE_UNREACHABLE: 7,
  /** The host's name does not resolve. */
  SSH_HOST_UNKNOWN: 20,
  /** The host does not answer on the port. */
  SSH_UNREACHABLE: 21,
  /** The host's key was never seen and was not confirmed. */
  SSH_HOST_KEY_UNKNOWN: 22,
  /** The host shows another key than the pinned one. */
  SSH_HOST_KEY_CHANGED: 23,
  /** The user name, key or password was refused. */
  SSH_AUTH_FAILED: 24,
  /** A key file is missing, unreadable or needs a passphrase. */
  SSH_KEY_UNUSABLE: 25,
  /** The connection broke. */
  SSH_CONNECTION_LOST: 26,
  /** Neither root nor sudo, or sudo wants a password that was not given or was wrong. */
  NO_SUDO: 30,
  /** The machine cannot be a node; the message names the check that failed. */
  PREFLIGHT_FAILED: 31,
  /** No containerd on the machine. */
  NO_CONTAINERD: 32,
  /** A command on the machine failed. */
  REMOTE_COMMAND_FAILED: 33,
  /** The node did not join or did not become Ready in time. */
  JOIN_TIMEOUT: 34,
  /** A machine of that name exists, or does not. */
  MACHINE_CONFLICT: 35,
  MACHINE_NOT_FOUND: 36,
  /** An image archive cannot be read or was refused by the runtime. */
  IMAGE_IMPORT_FAILED: 40,
  /** A chart cannot be read, or Helm refused it. */
  HELM_FAILED: 41,
  /** What was asked for does not exist on this platform or in this build. */
  UNSUPPORTED: 50,
  /** The user or a signal stopped it. */
  CANCELLED: 130,
  /** A defect. */
  INTERNAL: 70,
} as const

export type ErrorCode = keyof typeof ERROR_CODES

export interface ErrorParts {
  /** What failed, as a short sentence: "Could not sign in to moth as root." */
  what: string
  /** Why, as far as it is known: "The password was refused." */
  why: string
  /** What to do next: "Check the password, or choose a key file." */
  next: string
  cause?: unknown
}

export class FlotillaError extends Error {
  override readonly name = 'FlotillaError'
  readonly code: ErrorCode
  readonly what: string
  readonly why: string
  readonly next: string

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(`${parts.what} ${parts.why} ${parts.next}`.trim(), parts.cause === undefined ? undefined : { cause: parts.cause })
    this.code = code
    this.what = parts.what
    this.why = parts.why
    this.next = parts.next
  }

  /** The process exit code that stands for this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code]
  }

  toJSON(): { code: ErrorCode; what: string; why: string; next: string } {
    return { code: this.code, what: this.what, why: this.why, next: this.next }
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` of a Node system error ("ENOENT", "ENOSPC"), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code)
}
