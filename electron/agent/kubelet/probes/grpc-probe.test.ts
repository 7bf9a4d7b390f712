import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { expect, it } from 'vitest'
import { systemClock } from '../../../base/clock.ts'
import { HealthCheckRequestSchema, HealthCheckResponse_ServingStatus, HealthCheckResponseSchema } from '../../runtime/gen/health_pb.js'
import type { HealthCheckRequest, HealthCheckResponse } from '../../runtime/gen/health_pb.js'
import { probeGrpc } from './network-probes.ts'

it('asks the health service of a server for the service that is meant', async () => {
  const server = new Server()
  const check = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (m: HealthCheckRequest) => Buffer.from(toBinary(HealthCheckRequestSchema, m)),
    requestDeserialize: (b: Buffer) => fromBinary(HealthCheckRequestSchema, b),
    responseSerialize: (m: HealthCheckResponse) => Buffer.from(toBinary(HealthCheckResponseSchema, m)),
    responseDeserialize: (b: Buffer) => fromBinary(HealthCheckResponseSchema, b),
  } as const
  server.addService(
    { check },
    {
      check: ({ request }: { request: HealthCheckRequest }, answer: (error: object | null, value?: HealthCheckResponse) => void) => {
        if (request.service === 'odd') return answer({ code: status.UNIMPLEMENTED, details: 'unknown service' })
        const serving =
          request.service === 'good' ? HealthCheckResponse_ServingStatus.SERVING : HealthCheckResponse_ServingStatus.NOT_SERVING
        answer(null, create(HealthCheckResponseSchema, { status: serving }))
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  )
  const ask = (service: string) => probeGrpc('127.0.0.1', port, service, 2000, systemClock, new AbortController().signal)
  expect(await ask('good')).toEqual({ outcome: 'success', output: 'service healthy' })
  expect(await ask('bad')).toEqual({ outcome: 'failure', output: 'service unhealthy (responded with "NOT_SERVING")' })
  expect((await ask('odd')).output).toBe(
    'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service',
  )
  server.forceShutdown()
})
