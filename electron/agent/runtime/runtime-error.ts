import { status as grpcStatus } from '@grpc/grpc-js'

/** gRPC's status codes by their names in Go, which is how they stand in messages. */
const NAMES = {
  [grpcStatus.CANCELLED]: 'Canceled',
  [grpcStatus.UNKNOWN]: 'Unknown',
  [grpcStatus.INVALID_ARGUMENT]: 'InvalidArgument',
  [grpcStatus.DEADLINE_EXCEEDED]: 'DeadlineExceeded',
  [grpcStatus.NOT_FOUND]: 'NotFound',
  [grpcStatus.ALREADY_EXISTS]: 'AlreadyExists',
  [grpcStatus.PERMISSION_DENIED]: 'PermissionDenied',
  [grpcStatus.RESOURCE_EXHAUSTED]: 'ResourceExhausted',
  [grpcStatus.FAILED_PRECONDITION]: 'FailedPrecondition',
  [grpcStatus.ABORTED]: 'Aborted',
  [grpcStatus.OUT_OF_RANGE]: 'OutOfRange',
  [grpcStatus.UNIMPLEMENTED]: 'Unimplemented',
  [grpcStatus.INTERNAL]: 'Internal',
  [grpcStatus.UNAVAILABLE]: 'Unavailable',
  [grpcStatus.DATA_LOSS]: 'DataLoss',
  [grpcStatus.UNAUTHENTICATED]: 'Unauthenticated',
} as const

export type RuntimeCode = (typeof NAMES)[keyof typeof NAMES]

/** What the container runtime answered. The message reads as kubelet's users know it: "rpc error: code = NotFound desc = …". */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code: RuntimeCode
  /** The runtime's own words. */
  readonly detail: string

  constructor(code: RuntimeCode, detail: string, options?: ErrorOptions) {
    super(`rpc error: code = ${code} desc = ${detail}`, options)
    this.code = code
    this.detail = detail
  }
}

export function fromGrpcCode(code: number): RuntimeCode {
  return (NAMES as Record<number, RuntimeCode>)[code] ?? 'Unknown'
}

export function hasCode(error: unknown, ...codes: RuntimeCode[]): boolean {
  return error instanceof RuntimeError && codes.includes(error.code)
}

/** The runtime's own words where it answered, else the message of whatever was thrown. */
export function detailOf(error: unknown): string {
  if (error instanceof RuntimeError) return error.detail
  return error instanceof Error ? error.message : String(error)
}
