/** `flotilla`: what it prints, how it ends, and that it spoils nothing of the user's. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const FLOTILLA = join(import.meta.dirname, '../../electron/headless/flotilla.ts')

let dir: string
let plane: ChildProcess
let ready: { ready: boolean; server: string; kubeconfig: string; stateDir: string }
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-cli-'))
  plane = start('serve', '--kubeconfig', join(dir, 'copy.yaml'), '--name', 'harbour')
  ready = await firstLine(plane)
})
afterAll(async () => {
  await end(plane, 'SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

const start = (...words: string[]) =>
  spawn(process.execPath, [FLOTILLA, ...words, ...(words.includes('--state') ? [] : ['--state', join(dir, 'state')])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: dir, KUBECONFIG: '' },
  })

async function run(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(...words)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), child.exitCode ?? once(child, 'exit')])
  return { code: child.exitCode, out, err }
}

async function firstLine<T>(child: ChildProcess): Promise<T> {
  if (!child.stdout) throw new Error('no output')
  for await (const line of createInterface(child.stdout)) return JSON.parse(line) as T
  throw new Error('it printed nothing')
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'exit')
  }
  return child.exitCode
}

describe('serve', () => {
  it('says in one line of JSON where it answers, and copies the kubeconfig', async () => {
    expect(ready).toEqual({
      ready: true,
      name: 'harbour',
      server: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/) as string,
      kubeconfig: join(dir, 'state/kubeconfig'),
      stateDir: join(dir, 'state'),
    })
    expect(await readFile(join(dir, 'copy.yaml'), 'utf8')).toBe(await readFile(ready.kubeconfig, 'utf8'))
    expect((await stat(ready.kubeconfig)).mode & 0o777).toBe(0o600)
    expect((await stat(ready.stateDir)).mode & 0o777).toBe(0o700)
  })

  it('is refused on a state folder that is in use', async () => {
    const { code, err } = await run('serve', '--json')
    expect(code).toBe(4)
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'STATE_LOCKED' } })
  })

  it('names a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const other = join(dir, 'other')
    const { code, err } = await run('serve', '--port', String(port), '--state', other)
    server.close()
    expect(code).toBe(6)
    expect(err).toMatch(`error: The API server cannot listen on port ${port}.\nAnother program listens there.\nnext: `)
  })

  it('leaves a folder alone that holds other things', async () => {
    const other = join(dir, 'letters')
    await mkdir(other)
    await writeFile(join(other, 'dear.txt'), 'dear reader')
    const { code, err } = await run('serve', '--state', other)
    expect(code).toBe(4)
    expect(err).toContain(other)
  })
})

describe('a command', () => {
  it('that is not understood says why and ends with 2', async () => {
    expect(await run('sail')).toMatchObject({ code: 2, err: expect.stringContaining('There is no command "sail".') as string })
    expect(await run('serve', '--port', 'x')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--port takes a whole number') as string,
    })
    expect(await run('status', '--nope')).toMatchObject({ code: 2, err: expect.stringContaining("Unknown option '--nope'") as string })
    expect(await run('image', 'import')).toMatchObject({ code: 2, err: expect.stringContaining('FILE is missing.') as string })
  })

  it('explains itself', async () => {
    const overview = await run('--help')
    for (const name of ['serve', 'up', 'down', 'status', 'kubeconfig', 'node add', 'node remove', 'node shell', 'image import', 'doctor'])
      expect(overview.out).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect((await run('node', 'add', '--help')).out).toMatch(/^ +--accept-new-host-key/m)
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('that needs a plane says so where none runs', async () => {
    const { code, err } = await run('status', '--state', join(dir, 'nothing'), '--json')
    expect(code).toBe(7)
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'PLANE_UNREACHABLE', next: expect.stringContaining('flotilla serve') as string },
    })
  })
})

describe('status and doctor', () => {
  it('tell people and programs how things are', async () => {
    expect((await run('status')).out).toMatch(/^harbour: ready, https:.*, revision \d+\n0 of 0 nodes ready, 0 of 0 pods running/)
    expect(JSON.parse((await run('status', '--json')).out)).toMatchObject({ name: 'harbour', server: ready.server })
    const { out } = await run('doctor', '--json')
    const checks = JSON.parse(out) as unknown
    expect(JSON.stringify(checks)).toContain('State folder')
  })
})

describe('kubeconfig', () => {
  it('is printed', async () => {
    expect((await run('kubeconfig')).out).toBe(await readFile(ready.kubeconfig, 'utf8'))
  })

  it('is merged into one’s own, whose context stays', async () => {
    const own = join(dir, 'own.yaml')
    await writeFile(
      own,
      '# mine\napiVersion: v1\nkind: Config\ncurrent-context: work\ncontexts:\n- name: work\n  context: { cluster: work, user: me }\nclusters:\n- name: work\n  cluster: { server: https://192.0.2.1 }\nusers:\n- name: me\n  user: { token: secret }\n',
    )
    const { code, out } = await run('kubeconfig', '--into', own)
    expect(code).toBe(0)
    expect(out).toMatch(/^Merged context flotilla-harbour into .*own\.yaml\. Use it with `kubectl --context flotilla-harbour`\.\n$/)
    const merged = await readFile(own, 'utf8')
    expect(merged).toContain('# mine')
    expect(merged).toContain('current-context: work')
    expect(merged).toContain('https://192.0.2.1')
    expect(merged).toContain(ready.server)
  })
})

describe('the end', () => {
  it('by SIGTERM is clean, and the next start finds the same cluster at the same place', async () => {
    expect(await end(plane, 'SIGTERM')).toBe(0)
    plane = start('serve')
    expect(await firstLine(plane)).toEqual(ready)
  })
})
