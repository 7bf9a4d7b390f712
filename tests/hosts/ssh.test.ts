/** The SSH transport against a real sshd. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../electron/base/clock.ts'
import { connect, type ConnectOptions, type SshConnection } from '../../electron/provision/ssh/connection.ts'
import { fingerprint, keyText, requireKey } from '../../electron/provision/ssh/host-key.ts'
import { KnownHosts } from '../../electron/provision/ssh/known-hosts.ts'
import { loadKey } from '../../electron/provision/ssh/keys.ts'
import { scanHostKey } from '../../electron/provision/ssh/scan.ts'
import { rootShell, userShell } from '../../electron/provision/ssh/sudo.ts'
import { contentSource, download, fileSource, upload } from '../../electron/provision/ssh/transfer.ts'
import { USERS } from './lab/base-root.ts'
import { printed } from './lab/printed.ts'
import { Lab, until } from './lab/lab.ts'
import type { TestHost } from './lab/test-host.ts'

const exec = promisify(execFile)
const clock = systemClock
let lab: Lab
let host: TestHost
let other: TestHost

beforeAll(async () => {
  lab = await Lab.create()
  host = await lab.host({ sshd: ['LogLevel VERBOSE'] })
  other = await lab.host({ port: 2222, sshd: ['PasswordAuthentication no'] })
})
afterAll(() => lab?.[Symbol.asyncDispose]())

async function options(more: Partial<ConnectOptions> = {}, target = host): Promise<ConnectOptions> {
  return {
    host: target.address,
    port: target.port,
    user: 'root',
    signIn: { password: USERS.root.password },
    hostKeys: [requireKey(await target.hostKey())],
    clock,
    ...more,
  }
}
const open = async (more: Partial<ConnectOptions> = {}, target = host): Promise<SshConnection> => await connect(await options(more, target))
const listening = async (server: Server) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const byKey = async () => ({ keys: [await loadKey(lab.keyFile)] })

describe('sign-in', () => {
  it('works with a password, a key, a key with a passphrase and an agent', async () => {
    const encrypted = join(lab.dir, 'encrypted')
    await exec('cp', [lab.keyFile, encrypted])
    await exec('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'sesame', '-f', encrypted])
    const socket = join(lab.dir, 'agent')
    const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    try {
      await until('the agent runs', () =>
        stat(socket).then(
          () => true,
          () => false,
        ),
      )
      await exec('ssh-add', ['-q', lab.keyFile], { env: { SSH_AUTH_SOCK: socket, PATH: process.env['PATH'] } })
      const ways = [{ password: USERS.root.password }, await byKey(), { keys: [await loadKey(encrypted, 'sesame')] }, { agent: socket }]
      for (const signIn of ways) {
        await using connection = await open({ signIn })
        expect((await connection.exec('id -un')).stdout).toBe('root\n')
      }
      // A dead agent is passed over, and the next way is tried.
      await using connection = await open({ signIn: { agent: join(lab.dir, 'none'), password: USERS.root.password } })
      expect(connection.closed.aborted).toBe(false)
    } finally {
      agent.kill()
    }
  })

  it('names what was refused and what the host accepts', async () => {
    await expect(open({ signIn: { password: 'wrong' } })).rejects.toMatchObject({
      code: 'SSH_AUTH_FAILED',
      what: `Could not sign in to ${host.address} as root.`,
      why: 'It refused the password. It accepts publickey, password.',
    })
    await expect(open({ signIn: { password: USERS.root.password } }, other)).rejects.toMatchObject({
      code: 'SSH_AUTH_FAILED',
      why: 'Nothing that was given could be tried. It accepts publickey.',
    })
    await expect(open({ user: 'nobody-here', signIn: await byKey() })).rejects.toMatchObject({
      code: 'SSH_AUTH_FAILED',
      why: `It refused the key ${lab.keyFile}. It accepts publickey, password.`,
    })
  })

  it('tells a host that does not exist, is down, refuses, or is no SSH server', async () => {
    await expect(open({ host: 'no-such-host.invalid' })).rejects.toMatchObject({ code: 'SSH_HOST_UNKNOWN' })
    await expect(open({ port: 23 })).rejects.toMatchObject({
      code: 'SSH_UNREACHABLE',
      why: 'The host answers, but nothing listens on port 23.',
    })
    await expect(open({ host: `${lab.prefix}.250`, timeoutMs: 1000 })).rejects.toMatchObject({ code: 'SSH_UNREACHABLE' })
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    try {
      const port = await listening(server)
      await expect(open({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'SSH_UNREACHABLE' })
      await expect(scanHostKey({ host: '127.0.0.1', port }, { clock })).rejects.toMatchObject({ code: 'SSH_UNREACHABLE' })
    } finally {
      server.close()
    }
    const silent = createServer(() => undefined)
    try {
      const port = await listening(silent)
      await expect(open({ host: '127.0.0.1', port, timeoutMs: 300 })).rejects.toMatchObject({ code: 'SSH_UNREACHABLE' })
    } finally {
      silent.close()
    }
  })

  it('ends at once when it is cancelled', async () => {
    const abort = new AbortController()
    const connecting = open({ host: `${lab.prefix}.250`, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 50)
    await expect(connecting).rejects.toThrow('enough')
  })
})

describe('host keys', () => {
  it('are scanned without signing in, with the fingerprint that ssh-keygen prints', async () => {
    const key = await scanHostKey({ host: host.address, port: 22 }, { clock })
    expect(keyText(key)).toBe(await host.hostKey())
    const { stdout } = await exec('ssh-keygen', ['-lf', join(host.dir, 'rw/etc/ssh/ssh_host_ed25519_key.pub')])
    expect(stdout).toContain(fingerprint(key))
  })

  it('that changed stop the sign-in before any secret is sent', async () => {
    const pinned = await other.hostKey()
    await host.run('journal=/var/log/auth; : > /tmp/none')
    await expect(open({ hostKeys: [requireKey(pinned)] })).rejects.toMatchObject({
      code: 'SSH_HOST_KEY_CHANGED',
      why: expect.stringContaining(fingerprint(requireKey(pinned))) as string,
    })
  })

  it('that are remembered are found by OpenSSH itself', async () => {
    const own = join(lab.dir, 'known_hosts')
    const hosts = new KnownHosts({ own, others: [] })
    await hosts.remember(other.address, 2222, requireKey(await other.hostKey()))
    const { stdout } = await exec('ssh-keygen', ['-F', `[${other.address}]:2222`, '-f', own])
    expect(stdout).toContain(await other.hostKey())
    const args = [
      '-F',
      'none',
      '-i',
      lab.keyFile,
      '-p',
      '2222',
      '-o',
      `UserKnownHostsFile=${own}`,
      '-o',
      'StrictHostKeyChecking=yes',
      '-o',
      'BatchMode=yes',
    ]
    expect((await exec('ssh', [...args, `root@${other.address}`, 'hostname'])).stdout).toBe(`${other.name}\n`)
  })
})

describe('commands', () => {
  it('give their output, code and signal, and take input', async () => {
    await using connection = await open()
    expect(await connection.exec('echo out; echo err >&2; exit 3')).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' })
    expect((await connection.exec('kill -9 $$')).code).toBe(137)
    expect((await connection.exec('cat', { stdin: 'hello' })).stdout).toBe('hello')
    const big = randomBytes(5 << 20)
    const sum = createHash('md5').update(big).digest('hex')
    expect((await connection.exec('md5sum', { stdin: big })).stdout).toContain(sum)
    const seen = createHash('md5')
    await connection.exec(`head -c ${big.length} /dev/zero`, { onStdout: (chunk) => void seen.update(chunk) })
    expect(seen.digest('hex')).toBe(createHash('md5').update(Buffer.alloc(big.length)).digest('hex'))
    expect((await connection.exec('yes | head -c 3000000', { limit: 1000 })).stdout).toHaveLength(1000)
  })

  it('never lose the end of a command that ends at once', async () => {
    await using connection = await open()
    const results = await Promise.all(Array.from({ length: 8 }, (_, i) => connection.exec(`echo ${i}; exit ${i}`)))
    for (let round = 0; round < 30; round++) results.push(await connection.exec(`echo ${round}; exit ${round}`))
    for (const { code, stdout } of results) expect(stdout).toBe(`${code}\n`)
  })

  it('do not wait for a command that does not read its input', async () => {
    await using connection = await open()
    expect((await connection.exec('exit 4', { stdin: randomBytes(8 << 20) })).code).toBe(4)
  })

  it('end when they are cancelled or take too long, here and there', async () => {
    await using connection = await open()
    const abort = new AbortController()
    async function* endless() {
      yield Buffer.from('x')
      await new Promise(() => undefined)
    }
    const running = connection.exec('cat > /tmp/got; mv /tmp/got /tmp/ended', { signal: abort.signal, stdin: endless() })
    await until('it runs', async () => (await host.exec('test -s /tmp/got')).code === 0)
    abort.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    await until('its input ended', async () => (await host.exec('test -e /tmp/ended')).code === 0)
    await expect(connection.exec('sleep 312', { timeoutMs: 100 })).rejects.toMatchObject({ code: 'REMOTE_COMMAND_FAILED' })
    expect((await connection.exec('echo still here')).stdout).toBe('still here\n')
  })

  it('run whatever login shell the user has', async () => {
    await host.run('chsh -s /bin/dash eve')
    await using connection = await open({ user: 'eve', signIn: await byKey() })
    const shell = userShell(connection)
    expect((await shell.exec(`printf '%s' "it's \\"fine\\" $HOME"`)).stdout).toBe('it\'s "fine" /home/eve')
  })
})

describe('root', () => {
  const as = async (user: string) => await open({ user, signIn: await byKey() })

  it('is the user itself, or sudo without or with its password, with input kept apart from it', async () => {
    for (const [user, password, mode] of [
      ['root', undefined, 'root'],
      ['bob', undefined, 'sudo'],
      ['bob', 'not needed', 'sudo'],
      ['ana', USERS.ana.password, 'sudo with password'],
    ] as const) {
      await using connection = await as(user)
      const root = await rootShell(connection, password)
      expect(root.mode).toBe(mode)
      for (let i = 0; i < 2; i++) expect((await root.exec('id -u; cat', { stdin: 'payload' })).stdout).toBe('0\npayload')
      expect((await root.exec('cat')).stdout).toBe('')
    }
  })

  it('never shows the password to others on the machine', async () => {
    await using connection = await as('ana')
    const root = await rootShell(connection, USERS.ana.password)
    const running = root.exec('sleep 1; cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr "\\0" "\\n"')
    const seen = (await running).stdout + (await host.run('ps -efww; cat /var/log/* 2>/dev/null; true'))
    expect(seen).not.toContain(USERS.ana.password)
  })

  it('is refused with the reason', async () => {
    const why = async (user: string, password?: string) => {
      await using connection = await as(user)
      return await rootShell(connection, password).then(
        () => 'allowed',
        (error: unknown) => error as { code: string; why: string },
      )
    }
    expect(await why('ana')).toMatchObject({ code: 'NO_SUDO', why: 'sudo asks for a password, and none was given.' })
    expect(await why('ana', 'wrong')).toMatchObject({ code: 'NO_SUDO', why: 'sudo refused the password.' })
    expect(await why('eve', USERS.eve.password)).toMatchObject({
      code: 'NO_SUDO',
      why: 'sudo does not allow this user to run commands as root.',
    })
    await host.run('mv /usr/bin/sudo /usr/bin/sudo.off')
    try {
      expect(await why('bob')).toMatchObject({
        code: 'NO_SUDO',
        why: 'The user is not root, and neither sudo nor doas is installed there.',
      })
    } finally {
      await host.run('mv /usr/bin/sudo.off /usr/bin/sudo')
    }
  })
})

describe('files', () => {
  const path = '/var/lib/test/file'
  const parts = () => host.files('/var/lib/test')

  it('arrive whole, with mode and owner, packed or not, with progress', async () => {
    await using connection = await open({ user: 'ana', signIn: await byKey() })
    const root = await rootShell(connection, USERS.ana.password)
    const local = join(lab.dir, 'big')
    await writeFile(local, randomBytes(3 << 20))
    const seen: number[] = []
    await upload(root, await fileSource(local), path, 'a', { mode: 0o750, owner: 'ana:ana', onProgress: (sent) => seen.push(sent) })
    expect(await host.run(`stat -c '%a %U' ${path}; sha256sum < ${path}`)).toBe(`750 ana\n${(await fileSource(local)).sha256}  -\n`)
    expect(seen.at(-1)).toBe(3 << 20)
    const copy = join(lab.dir, 'copy')
    await download(root, path, copy)
    expect((await readFile(copy)).equals(await readFile(local))).toBe(true)
    await expect(download(root, '/no/such/file', copy)).rejects.toMatchObject({ code: 'REMOTE_COMMAND_FAILED' })
    await rm(copy)
  })

  it('replace the old file only when they are whole, and leave nothing behind when cancelled', async () => {
    await using connection = await open()
    const shell = userShell(connection)
    await upload(shell, contentSource('old'), path, 'b', { mode: 0o644 })
    const abort = new AbortController()
    async function* slow() {
      yield Buffer.alloc(1000)
      await until('it is being written', async () => (await parts()).some((file) => file.includes('.part.')))
      abort.abort(new Error('enough'))
      yield Buffer.alloc(1000)
    }
    const source = { content: slow(), size: 2000, unpackedSize: 2000, sha256: '0'.repeat(64) }
    await expect(upload(shell, source, path, 'c', { mode: 0o644, signal: abort.signal })).rejects.toThrow('enough')
    await until('the part is gone', async () => (await parts()).join() === '/var/lib/test,/var/lib/test/file')
    expect(await host.run(`cat ${path}`)).toBe('old')
  })

  it('leave nothing behind when the connection is cut off in the middle', async () => {
    const connection = await open()
    const shell = userShell(connection)
    async function* slow() {
      yield Buffer.alloc(100_000)
      await until('it is being written', async () => (await parts()).some((file) => file.includes('.part.')))
      await host.run(`kill -9 $(pgrep -f '^sshd: root@notty')`)
      yield Buffer.alloc(100_000)
    }
    const source = { content: slow(), size: 200_000, unpackedSize: 200_000, sha256: '0'.repeat(64) }
    await expect(upload(shell, source, path, 'd', { mode: 0o644 })).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' })
    await until('the part is gone', async () => (await parts()).join() === '/var/lib/test,/var/lib/test/file')
    expect(await host.run(`cat ${path}`)).toBe('old')
  })

  it('that are damaged on the way are not taken', async () => {
    await using connection = await open()
    const source = { ...contentSource('new'), sha256: '0'.repeat(64) }
    await expect(upload(userShell(connection), source, path, 'e', { mode: 0o644 })).rejects.toMatchObject({ code: 'REMOTE_COMMAND_FAILED' })
    expect(await host.run(`cat ${path}`)).toBe('old')
  })
})

describe('terminals', () => {
  it('have a size that follows, take keys, and end with a code', async () => {
    await using connection = await open()
    using shell = await connection.shell({ cols: 100, rows: 30 })
    const output = printed(shell.output)
    await shell.write(Buffer.from('stty size\n'))
    await until('the prompt', async () => true)
    await new Promise((resolve) => setTimeout(resolve, 300))
    shell.resize({ cols: 132, rows: 43 })
    await shell.write(Buffer.from('stty size; tty; exit 5\n'))
    expect(await output).toMatch(/30 100[^]*43 132[^]*\/dev\/pts\//)
    expect(await shell.exit).toBe(5)
  })

  it('are done without for what comes through a pipe, with its two outputs apart', async () => {
    await using connection = await open()
    using shell = await connection.shell(null)
    await shell.write(Buffer.from('tty; echo bad >&2; cat | tr a-z A-Z\nthe rest\n'))
    shell.end()
    const told = { stdout: '', stderr: '' }
    for await (const { type, bytes } of shell.output) told[type] += Buffer.from(bytes).toString()
    expect(told).toEqual({ stdout: 'not a tty\nTHE REST\n', stderr: 'bad\n' })
    expect(await shell.exit).toBe(0)
  })
})

describe('tunnels', () => {
  const echo = (stream: Duplex) => {
    stream.on('error', () => undefined)
    stream.pipe(stream)
  }

  it('reach ports of the machine, carry much both ways, and end halves apart', async () => {
    await using connection = await open()
    const port = 4000
    const payload = randomBytes(20 << 20)
    await using reverse = await connection.listen(echo)
    expect(reverse.port).toBeGreaterThan(1023)
    // Out to the machine and back through the reverse forward: both directions of both kinds at once.
    const stream = await connection.dial('127.0.0.1', reverse.port)
    const back = buffer(stream)
    stream.end(payload)
    expect(
      createHash('md5')
        .update(await back)
        .digest('hex'),
    ).toBe(createHash('md5').update(payload).digest('hex'))
    await expect(connection.dial('127.0.0.1', port)).rejects.toThrow(/refused/i)
  })

  it('listen on loopback only, and no longer once given up', async () => {
    await using connection = await open()
    const reverse = await connection.listen(echo)
    const listening = await host.run(`ss -Hltn`)
    expect(listening).toContain(`127.0.0.1:${reverse.port}`)
    await reverse[Symbol.asyncDispose]()
    await until('it is closed', async () => !(await host.run(`ss -Hltn`)).includes(`:${reverse.port}`))
  })

  it('go through a jump host, and say when it cannot reach the target', async () => {
    await using gate = await open({ user: 'eve', signIn: await byKey() })
    await using connection = await open({ via: gate, signIn: await byKey() }, other)
    expect((await connection.exec('hostname; echo $SSH_CONNECTION')).stdout).toMatch(new RegExp(`^${other.name}\n${host.address} `))
    expect(keyText(await scanHostKey({ host: other.address, port: 2222 }, { clock, via: gate }))).toBe(await other.hostKey())
    await expect(open({ via: gate, port: 7 }, other)).rejects.toMatchObject({ code: 'SSH_UNREACHABLE' })
  })
})

describe('a connection', () => {
  it('that the network swallows is given up after the keepalives, and says so to all who use it', async () => {
    const connection = await open({ keepAlive: { intervalMs: 200, count: 3 } })
    const waiting = connection.exec('sleep 60')
    const shell = await connection.shell({ cols: 80, rows: 24 })
    const output = printed(shell.output)
    const tunnel = await connection.dial('127.0.0.1', 22)
    const tunnelEnd = new Promise((resolve) => tunnel.on('close', resolve).on('error', () => undefined))
    tunnel.resume()
    await host.cut()
    try {
      for (const part of [waiting, output, shell.exit]) await expect(part).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' })
      await tunnelEnd
      expect(connection.closed.aborted).toBe(true)
      await expect(connection.exec('true')).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST', why: 'The host stopped answering.' })
    } finally {
      await host.heal()
    }
  })
})
