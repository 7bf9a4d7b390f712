/** gRPC's status codes, as far as they are used here (google.golang.org/grpc/codes). */
export const STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const
export type StatusCode = (typeof STATUS)[keyof typeof STATUS]

/** How a call ends otherwise than well. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: StatusCode

  constructor(code: StatusCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
