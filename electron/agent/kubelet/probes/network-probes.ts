/** `tcpSocket` and `grpc`. Source: kubernetes `pkg/probe/{tcp,grpc}`, gRPC health checking protocol. */
import { connect } from 'node:net'
import { deadline } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '../../runtime/gen/health_pb.js'
import { GrpcConnection } from '../../runtime/grpc.ts'
import { RuntimeError } from '../../runtime/runtime-error.ts'
import { dialError, failure, hostPort, success, unknown } from './probe.ts'
import type { ProbeAnswer } from './probe.ts'

/** Healthy is what takes a connection. */
export async function probeTcp(host: string, port: number, timeout: number, clock: Clock, parent: AbortSignal): Promise<ProbeAnswer> {
  using limit = deadline(clock, timeout, parent)
  const address = hostPort(host, port)
  const socket = connect({ host, port })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve())
      socket.once('error', reject)
      limit.signal.addEventListener('abort', () => reject(new Error('timeout')), { once: true })
    })
    return success()
  } catch (error) {
    if (parent.aborted) return unknown('the probe was given up')
    return failure(limit.signal.aborted ? `dial tcp ${address}: i/o timeout` : dialError(error, address))
  } finally {
    socket.destroy()
  }
}

/** Healthy is what answers SERVING for the service ("" is the whole server). */
export async function probeGrpc(
  host: string,
  port: number,
  service: string,
  timeout: number,
  clock: Clock,
  parent: AbortSignal,
): Promise<ProbeAnswer> {
  const address = hostPort(host, port)
  using connection = new GrpcConnection(address, clock, { 'user-agent': 'kube-probe' })
  try {
    const { status } = await connection.unary(Health.method.check, { service }, { timeout, signal: parent })
    if (status === ServingStatus.SERVING) return success('service healthy')
    return failure(`service unhealthy (responded with "${ServingStatus[status] ?? status}")`)
  } catch (error) {
    if (parent.aborted) return unknown('the probe was given up')
    if (!(error instanceof RuntimeError)) return unknown(String(error))
    const { code, detail } = error
    if (code === 'Unimplemented')
      return failure(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${detail}`)
    if (code === 'DeadlineExceeded' || code === 'Unavailable') {
      return failure(
        `timeout: failed to connect service "${address}" within ${timeout / 1000}s: ${code === 'Unavailable' ? detail : 'context deadline exceeded'}`,
      )
    }
    return failure(`error: health rpc probe failed: ${error.message}`)
  }
}
