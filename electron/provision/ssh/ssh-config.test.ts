import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { matchPatterns } from './patterns.ts'
import { hostConfig, parseJumps, parseLines, resolveHost } from './ssh-config.ts'

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
})

describe('matchPatterns', () => {
  it('treats dots and brackets as themselves', () => {
    expect(matchPatterns(['10.0.0.1'], '10x0x0x1')).toBe(false)
    expect(matchPatterns(['[moth]:2222'], '[moth]:2222')).toBe(true)
    expect(matchPatterns(['!*'], 'moth')).toBe(false)
  })
})
