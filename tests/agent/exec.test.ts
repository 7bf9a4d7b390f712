import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { TaskExecutor } from '../../electron/agent/runtime/exec.ts'
import { GrpcConnection } from '../../electron/agent/runtime/grpc.ts'
import { BUSYBOX_IMAGE, openLab } from './lab.ts'
import type { Lab } from './lab.ts'
import { textOf } from './streams.ts'

describe('exec by tasks', () => {
  let lab: Lab
  let connection: GrpcConnection
  let container: string
  let executor: TaskExecutor

  beforeAll(async () => {
    lab = await openLab()
    connection = new GrpcConnection(`unix://${lab.socket}`, systemClock, { 'containerd-namespace': 'k8s.io' })
    executor = new TaskExecutor({ connection, clock: systemClock, random: systemRandom, dir: join(lab.dir, 'exec') })
    const sandbox = {
      metadata: { name: 'p', namespace: 'default', uid: 'u1', attempt: 0 },
      logDirectory: join(lab.dir, 'logs'),
      linux: { cgroupParent: lab.cgroupRoot },
    }
    const id = await lab.cri.runSandbox(sandbox, '')
    container = await lab.cri.createContainer(
      id,
      { metadata: { name: 'c', attempt: 0 }, image: { image: BUSYBOX_IMAGE }, command: ['sleep', '10000'], logPath: 'c.log' },
      sandbox,
    )
    await lab.cri.startContainer(container)
  })

  afterAll(async () => {
    connection?.[Symbol.dispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  it('gives a terminal that knows its size, can be resized, and ends with the exit code of its shell', async () => {
    await using session = await executor.exec(container, { command: ['sh'], tty: true, stdin: true })
    expect(session.stderr).toBeNull()
    const output = textOf(session.stdout)
    await session.resize(100, 40)
    session.stdin?.write('stty size\n')
    await sleep(systemClock, 300)
    await session.resize(133, 55)
    session.stdin?.write('stty size; sleep 100\n')
    await sleep(systemClock, 300)
    session.stdin?.write('\x03')
    await sleep(systemClock, 300)
    session.stdin?.write('exit 7\n')
    expect(await session.exit).toBe(7)
    expect(await output).toMatch(/40 100[^]*55 133[^]*\^C/)
  })

  it('carries 50 MB of input to its end and keeps the two outputs apart', async () => {
    await using session = await executor.exec(container, { command: ['sh', '-c', 'md5sum; echo E >&2; exit 4'], tty: false, stdin: true })
    const [stdout, stderr] = [textOf(session.stdout), textOf(session.stderr)]
    const digest = createHash('md5')
    for (let sent = 0; sent < 50 << 20; sent += 64 << 10) {
      const chunk = Buffer.alloc(64 << 10, `${sent} `)
      digest.update(chunk)
      if (!session.stdin?.write(chunk)) await new Promise((resolve) => session.stdin?.once('drain', resolve))
    }
    session.stdin?.end()
    expect(await session.exit).toBe(4)
    expect(await stdout).toBe(`${digest.digest('hex')}  -\n`)
    expect(await stderr).toBe('E\n')
  })

  it('delivers all output of a command that is long gone when it is read slowly', async () => {
    await using session = await executor.exec(container, { command: ['sh', '-c', 'yes | head -c 300000'], tty: false, stdin: false })
    session.stderr?.resume()
    let bytes = 0
    for await (const part of session.stdout) {
      bytes += (part as Buffer).length
      if (bytes < 200_000) await sleep(systemClock, 300)
    }
    expect(bytes).toBe(300_000)
    expect(await session.exit).toBe(0)
  })

  it('ends although a child left behind still holds the output', async () => {
    await using session = await executor.exec(container, { command: ['sh', '-c', 'sleep 60 & echo started'], tty: false, stdin: false })
    session.stderr?.resume()
    const output = textOf(session.stdout)
    expect(await session.exit).toBe(0)
    expect(await output).toBe('started\n')
  })

  it('kills the command of a session that is given up', async () => {
    const session = await executor.exec(container, { command: ['sleep', '1000'], tty: false, stdin: false })
    session.stdout.resume()
    session.stderr?.resume()
    await session[Symbol.asyncDispose]()
    expect(await session.exit).toBe(137)
  })

  it('refuses a command that does not exist, and leaves no process behind', async () => {
    const failing = executor.exec(container, { command: ['nope'], tty: false, stdin: false })
    await expect(failing).rejects.toThrow(/executable file not found/)
  })
})
