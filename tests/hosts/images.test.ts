/** The images that Flotilla writes, run by a real containerd; and the pause program as a process of its own. */
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAUSE_IMAGE } from '../../electron/api/infra/v1alpha1/agent-config.ts'
import { pauseProgram } from '../../electron/provision/images/pause-program.ts'
import { USERS } from './lab/base-root.ts'
import { Lab, until } from './lab/lab.ts'
import { runProvision } from './lab/provisioning.ts'
import type { TestHost } from './lab/test-host.ts'

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64'

describe('the pause program', () => {
  let dir: string
  let program: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pause-'))
    program = join(dir, 'pause')
    await writeFile(program, pauseProgram(ARCHITECTURE))
    await chmod(program, 0o755)
  })
  afterAll(() => rm(dir, { recursive: true }))

  it.each(['SIGTERM', 'SIGINT'] as const)('waits without using the processor, and leaves with 0 on %s', async (signal) => {
    const child = spawn(program, { stdio: 'ignore' })
    const ended = new Promise<[number | null, string | null]>((resolve) => child.on('exit', (code, by) => resolve([code, by])))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(child.exitCode).toBeNull()
    child.kill(signal)
    expect(await ended).toEqual([0, null])
  })

  it('as PID 1 hears TERM, and reaps what others leave behind', async () => {
    const script = `exec unshare --pid --fork --mount-proc --kill-child sh -c '
      (sleep 0.2 &) ; (setsid sleep 0.3 &) ; exec ${program}'`
    const child = spawn('sh', ['-c', script], { stdio: 'ignore' })
    const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)))
    const inside = async (command: string) => {
      const { execFile } = await import('node:child_process')
      const { promisify } = await import('node:util')
      const { stdout: pids } = await promisify(execFile)('pgrep', ['-P', String(child.pid)])
      const { stdout } = await promisify(execFile)('nsenter', ['--target', pids.trim(), '--pid', '--mount', 'sh', '-c', command])
      return stdout
    }
    await until('its orphans are gone', async () => !(await inside('ps -eo stat,comm').catch(() => 'sleep')).includes('sleep'))
    expect(await inside('ps -eo stat,comm')).not.toMatch(/^Z/m)
    // It takes everything in its namespace along, also who asked.
    await inside('kill -TERM 1').catch(() => undefined)
    expect(await ended).toBe(0)
  })
})

describe('on a machine', () => {
  let lab: Lab
  let host: TestHost
  const ctr = 'ctr -a /run/flotilla/containerd.sock -n k8s.io'
  beforeAll(async () => {
    lab = await Lab.create()
    host = await lab.host()
    const { error } = await runProvision(lab, host, { credentials: { password: USERS.root.password } })
    if (error) throw error
  })
  afterAll(() => lab?.[Symbol.asyncDispose]())

  it('the pause image runs as an ordinary user and stops when it is asked to', async () => {
    await host.run(`${ctr} run -d --null-io ${PAUSE_IMAGE} pause`)
    const task = await host.run(`${ctr} tasks list`)
    const pid = /pause +(\d+) +RUNNING/.exec(task)?.[1]
    expect(await host.run(`sed -n 's/^Uid:\\t\\([0-9]*\\).*/\\1/p' /proc/${pid}/status`)).toBe('65534\n')
    await host.run(`${ctr} tasks kill pause`)
    await until('it stopped', async () => (await host.run(`${ctr} tasks list`)).includes('STOPPED'))
  })

  it('the demo image says who answers, to people and to programs, counts its lines, and ends at once', async () => {
    await host.run(`${ctr} run -d --log-uri file:///tmp/demo.log --net-host --env PORT=8088 flotilla.local/demo:1 demo`)
    const get = (path: string, accept = '*/*') =>
      host.run(`bash -c 'exec 3<>/dev/tcp/127.0.0.1/8088; printf "GET ${path} HTTP/1.0\\r\\nAccept: ${accept}\\r\\n\\r\\n" >&3; cat <&3'`)
    await until('it serves', async () => (await get('/healthz').catch(() => '')).includes('ok'))
    expect(await get('/')).toMatch(
      new RegExp(`^HTTP/1.1 200 OK\\r\\n[^]*\\r\\n\\r\\n${host.name} answered from ${host.address} at \\S+\\n$`),
    )
    expect(await get('/', 'text/html')).toMatch(new RegExp(`text/html[^]*<title>${host.name}</title>`))
    await until('it counts', async () => (await host.run('cat /tmp/demo.log')).includes(`line 3 from ${host.name}`))
    expect(await host.run(`${ctr} tasks exec --exec-id sh demo sh -c 'echo $0; id -u; ls /'`)).toMatch(/^sh\n0\nbin\n/)
    const begun = performance.now()
    await host.run(`${ctr} tasks kill demo`)
    await until(
      'it stopped',
      async () => (await host.run(`${ctr} tasks list`)).includes('demo') && /demo +\d+ +STOPPED/.test(await host.run(`${ctr} tasks list`)),
    )
    expect(performance.now() - begun).toBeLessThan(5000)
  })
})
