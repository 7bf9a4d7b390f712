import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { matchPatterns } from './patterns.ts'
import { hostConfig, parseJumps, resolveHost } from './ssh-config.ts'
import { parseLines } from './ssh-config-file.ts'

const me = { home: '/home/ana', localUser: 'ana' }
const resolve = (host: string, text: string) => resolveHost(host, parseLines(text), me)

describe('ssh_config', () => {
  it('says nothing of a host that is not in it', () => {
    expect(resolve('moth', 'Host wasp\n  Port 2\n')).toEqual({ hostName: 'moth', identityFiles: [], proxyJump: [] })
  })

  it('takes the first value of an option, and every identity file', () => {
    const text = `
Host moth
  HostName 10.0.0.7
  User=root
  Port = 2222
  IdentityFile ~/.ssh/moth   # mine
Host *
  User nobody
  HostName other
  IdentityFile "/keys/%h/%r of %u"
`
    expect(resolve('moth', text)).toEqual({
      hostName: '10.0.0.7',
      user: 'root',
      port: 2222,
      identityFiles: ['/home/ana/.ssh/moth', '/keys/10.0.0.7/root of ana'],
      proxyJump: [],
    })
  })

  it('applies options before the first Host to all hosts, and expands %h in HostName', () => {
    expect(resolve('moth', 'user bee\nHost m* !mouse\n HostName %h.lan\n')).toMatchObject({ user: 'bee', hostName: 'moth.lan' })
    expect(resolve('mouse', 'user bee\nHost m* !mouse\n HostName %h.lan\n')).toMatchObject({ user: 'bee', hostName: 'mouse' })
  })

  it('reads Match all and Match host, and passes over other conditions', () => {
    const text = 'Match exec true\n User a\nMatch host wasp,moth\n User b\nMatch all\n Port 7\n'
    expect(resolve('moth', text)).toMatchObject({ user: 'b', port: 7 })
    expect(resolve('bee', text)).not.toHaveProperty('user')
  })

  it('reads jump hosts in order, with users, ports and IPv6 addresses', () => {
    expect(parseJumps('ana@gate:2222,[fd00::1]:22,ssh://inner')).toEqual([
      { host: 'gate', user: 'ana', port: 2222 },
      { host: 'fd00::1', port: 22 },
      { host: 'inner' },
    ])
    expect(parseJumps('none')).toEqual([])
  })

  it('follows Include, also with patterns, and does not follow a file that includes itself for ever', async () => {
    const home = await mkdtemp(join(tmpdir(), 'ssh-config-'))
    try {
      await mkdir(join(home, '.ssh/d'), { recursive: true })
      await writeFile(join(home, '.ssh/config'), 'Include d/*.conf\nInclude config\nHost moth\n User last\n')
      await writeFile(join(home, '.ssh/d/1.conf'), 'Host moth\n Port 1\n')
      await writeFile(join(home, '.ssh/d/2.conf'), 'Host moth\n Port 2\n HostName two\n')
      const found = await hostConfig('moth', { path: join(home, '.ssh/config'), home, localUser: 'ana' })
      expect(found).toMatchObject({ port: 1, hostName: 'two', user: 'last' })
      expect(await hostConfig('moth', { path: join(home, 'none'), home, localUser: 'ana' })).toMatchObject({ hostName: 'moth' })
    } finally {
      await rm(home, { recursive: true })
    }
  })

  it('ends Host and Match blocks with the file that they stand in, and passes over what is included where nothing applies', async () => {
    const home = await mkdtemp(join(tmpdir(), 'ssh-config-'))
    try {
      await mkdir(join(home, '.ssh'))
      await writeFile(join(home, '.ssh/config'), 'Host wasp\n Include more\nHost moth\n Include more\n Port 7\n')
      await writeFile(join(home, '.ssh/more'), 'User bee\nHost nobody\n Port 1\nHost *\n HostName inside\n')
      await writeFile(join(home, 'system'), 'Port 9\nCiphers aes256-ctr\n')
      const source = { path: join(home, '.ssh/config'), systemPath: join(home, 'system'), home, localUser: 'ana' }
      expect(await hostConfig('moth', source)).toMatchObject({
        user: 'bee',
        hostName: 'inside',
        port: 7,
        algorithms: { cipher: 'aes256-ctr' },
      })
      expect(await hostConfig('ant', source)).toEqual({
        ...{ hostName: 'ant', port: 9, identityFiles: [], proxyJump: [] },
        algorithms: { cipher: 'aes256-ctr' },
      })
    } finally {
      await rm(home, { recursive: true })
    }
  })

  it('reads Match with the names and users as they stand at that line, and negations', () => {
    const text = `
Host moth
  HostName moth.lan
Match host *.lan originalhost moth
  User deep
Match user deep
  Port 7
Match !localuser ana
  ProxyJump never
Match exec "touch /tmp/x"
  ProxyJump never
Match final all
  ProxyJump never
`
    expect(resolve('moth', text)).toMatchObject({ user: 'deep', port: 7, proxyJump: [] })
    expect(resolve('wasp', text)).toEqual({ hostName: 'wasp', identityFiles: [], proxyJump: [] })
    const asked = resolveHost('moth', parseLines(text), me, { user: 'root' })
    expect(asked).not.toHaveProperty('port')
  })

  it('says which identities, which agent and which known_hosts count, with tokens and variables', () => {
    const env = { RUN: '/run/ana', MY_AGENT: '/run/agent' }
    const at = (text: string) => resolveHost('moth', parseLines(text), { ...me, env }, { user: 'root', port: 2222 })
    expect(
      at(`
IdentitiesOnly yes
IdentityFile \${RUN}/%n-%r-%p
IdentityAgent ~/agent
HostKeyAlias fleet
UserKnownHostsFile ~/.ssh/%k /dev/null
StrictHostKeyChecking accept-new
ConnectTimeout 4
`),
    ).toMatchObject({
      identitiesOnly: true,
      identityFiles: ['/run/ana/moth-root-2222'],
      identityAgent: '/home/ana/agent',
      hostKeyAlias: 'fleet',
      knownHostsFiles: ['/home/ana/.ssh/fleet', '/dev/null'],
      acceptsNewKeys: true,
      connectTimeoutMs: 4000,
    })
    expect(at('IdentityAgent none').identityAgent).toBeNull()
    expect(at('IdentityAgent $MY_AGENT').identityAgent).toBe('/run/agent')
    expect(at('IdentityAgent SSH_AUTH_SOCK')).not.toHaveProperty('identityAgent')
    expect(at('StrictHostKeyChecking yes')).not.toHaveProperty('acceptsNewKeys')
  })

  it('takes whichever of ProxyJump and ProxyCommand comes first, the command whole', () => {
    expect(resolve('moth', 'ProxyCommand nc -X "a b" %h %p # x\nProxyJump gate')).toMatchObject({
      proxyCommand: 'nc -X "a b" moth 22 # x',
      proxyJump: [],
    })
    expect(resolve('moth', 'ProxyJump gate\nProxyCommand nc %h')).not.toHaveProperty('proxyCommand')
    expect(resolve('moth', 'ProxyCommand none')).not.toHaveProperty('proxyCommand')
  })
})

describe('matchPatterns', () => {
  it('treats dots and brackets as themselves', () => {
    expect(matchPatterns(['10.0.0.1'], '10x0x0x1')).toBe(false)
    expect(matchPatterns(['[moth]:2222'], '[moth]:2222')).toBe(true)
    expect(matchPatterns(['!*'], 'moth')).toBe(false)
  })
})
