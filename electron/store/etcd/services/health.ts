import { Health, HealthCheckRequestSchema, HealthCheckResponse_ServingStatus, HealthCheckResponseSchema } from '../../wire/gen/health_pb.js'
import { GrpcError, STATUS } from '../grpc/status.ts'
import { parse, pathOf, serialize, type Service, unary } from './service.ts'

const { SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus

/** gRPC's health service: of the server as a whole, which serves while it answers. */
export function healthService(): Service {
  return [
    unary(Health.method.check, ({ service }) =>
      service === '' ? Promise.resolve({ status: SERVING }) : Promise.reject(new GrpcError(STATUS.notFound, 'unknown service')),
    ),
    [
      pathOf(Health.method.watch),
      {
        kind: 'stream',
        open: (call) => ({
          message(bytes) {
            const { service } = parse(HealthCheckRequestSchema, bytes)
            call.send(serialize(HealthCheckResponseSchema, { status: service === '' ? SERVING : SERVICE_UNKNOWN }))
          },
          end() {},
        }),
      },
    ],
  ]
}
