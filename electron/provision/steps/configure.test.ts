import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LAYOUT } from '../layout.ts'
import { scriptedShell } from '../testing/local-shell.ts'
import { readUnits } from '../units.ts'
import { agentConfig, configFiles, nodeAddress, type ClusterInfo } from './configure.ts'
import { containerdConfig } from './containerd-config.ts'
import { parseFacts, type MachineFacts } from './facts.ts'
import { compressionPays } from './runtime.ts'
import { writeFiles } from './write-files.ts'

const facts = (change: Partial<MachineFacts> = {}): MachineFacts => ({
  ...parseFacts('cni=/usr/libexec/cni\nsystemd=252\n', ''),
  ...change,
})
const cluster: ClusterInfo = {
  id: 'c1',
  caPem: 'PEM\n',
  clusterDomain: 'cluster.local',
  serviceCIDR: '10.96.0.0/16',
  clusterCIDR: '10.244.0.0/16',
  apiVip: '10.96.0.1',
  dnsVip: '10.96.0.10',
}
const node = { nodeName: 'moth', nodeIP: '10.0.0.7', labels: { zone: 'attic' } }
const units = { containerdUnit: 'A', agentUnit: 'B', services: 'C', uninstall: 'D' }

describe('nodeAddress', () => {
  it('takes what was given, then what SSH reached, then the way out', () => {
    const at = (sshAddress: string | null, routeAddress: string | null, given?: string) =>
      nodeAddress(facts({ sshAddress, routeAddress }), given)
    expect(at('10.0.0.7', '10.0.0.8', '10.0.0.9')).toBe('10.0.0.9')
    expect(at('10.0.0.7', '10.0.0.8')).toBe('10.0.0.7')
    // A machine that was reached over its loopback or IPv6 is not reached there by other nodes.
    expect(at('127.0.0.1', '10.0.0.8')).toBe('10.0.0.8')
    expect(at('fd00::7', '10.0.0.8')).toBe('10.0.0.8')
    expect(at('fd00::7', null)).toBe('fd00::7')
  })
})

describe('configFiles', () => {
  const paths = (change: Partial<MachineFacts>, more = {}) =>
    configFiles(cluster, { ...node, ...more }, facts(change), units).map(({ path }) => path)

  it('are units where there is systemd, and our own keeper where there is none', () => {
    expect(paths({})).toContain('/etc/systemd/system/flotilla-agent.service')
    expect(paths({})).not.toContain(LAYOUT.services)
    expect(paths({ systemd: null })).toContain(LAYOUT.services)
    expect(paths({ systemd: null }).some((path) => path.startsWith('/etc/systemd'))).toBe(false)
  })

  it('hold a token only when there is one, and keep secrets from others', () => {
    expect(paths({})).not.toContain(LAYOUT.bootstrapToken)
    const files = configFiles(cluster, { ...node, bootstrapToken: 'a.b' }, facts(), units)
    expect(files.find(({ path }) => path === LAYOUT.bootstrapToken)).toMatchObject({ mode: 0o600, content: 'a.b' })
    expect(files.find(({ path }) => path === LAYOUT.owner)).toMatchObject({ mode: 0o644, content: 'c1 moth' })
  })

  it('all lie where the architecture says', () => {
    const allowed = ['/opt/flotilla/', '/var/lib/flotilla/', '/etc/systemd/system/flotilla-']
    for (const path of [...paths({}), ...paths({ systemd: null })])
      expect(
        allowed.some((start) => path.startsWith(start)),
        path,
      ).toBe(true)
  })
})

describe('agentConfig', () => {
  it('says how services are run, where plugins are, and a limit if there is one', () => {
    expect(agentConfig(cluster, { ...node, memoryLimitBytes: 5 }, facts({ systemd: null }))).toMatchObject({
      nodeName: 'moth',
      serviceManager: 'none',
      cniBinDir: '/usr/libexec/cni',
      memoryLimitBytes: 5,
      labels: { zone: 'attic' },
    })
    expect(agentConfig(cluster, node, facts())).not.toHaveProperty('memoryLimitBytes')
  })
})

describe('containerdConfig', () => {
  it('keeps to our own folders, and follows what the kernel allows', () => {
    const text = containerdConfig({ cniDir: '/opt/cni/bin', appArmor: false, canLowerOomScore: false })
    for (const path of text.matchAll(/"(\/[^"]*)"/g)) expect(path[1]).toMatch(/^\/(var\/lib|run|etc\/cni)\/flotilla|^\/opt\/cni\/bin$/)
    expect(text).toContain('disable_apparmor = true')
    expect(text).toContain('restrict_oom_score_adj = true')
    expect(containerdConfig({ cniDir: '/x', appArmor: true, canLowerOomScore: true })).toContain('disable_apparmor = false')
  })
})

describe('the units', () => {
  it('start the same programs as the keeper does', async () => {
    const { agentUnit, containerdUnit, services } = await readUnits(join(import.meta.dirname, '../../../resources/units'))
    const unitCommand = (unit: string) => /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(/\s+/)
    const keeperCommand = (name: string) => new RegExp(`^  ${name}\\) exec ([^;]*?) ;;`, 'ms').exec(services)?.[1]?.split(/[\s\\]+/)
    expect(unitCommand(containerdUnit)).toEqual(keeperCommand('containerd'))
    expect(unitCommand(agentUnit)).toEqual(keeperCommand('agent'))
    expect(unitCommand(agentUnit)).toEqual(expect.arrayContaining([LAYOUT.node, LAYOUT.agent, LAYOUT.agentConfig]))
    expect(unitCommand(containerdUnit)).toEqual(['containerd', '--config', LAYOUT.containerdConfig])
  })

  it('leave containers alone when they end, and come back by themselves', async () => {
    const { agentUnit, containerdUnit } = await readUnits(join(import.meta.dirname, '../../../resources/units'))
    for (const unit of [agentUnit, containerdUnit])
      for (const line of ['KillMode=process', 'Delegate=yes', 'Restart=always', 'WantedBy=multi-user.target'])
        expect(unit).toContain(`\n${line}\n`)
  })
})

describe('writeFiles', () => {
  it('sends contents as input, never as an argument, and survives its own delimiter', async () => {
    const shell = scriptedShell()
    await writeFiles(shell, [{ path: '/a', mode: 0o600, content: 'the secret\nEND\nEND_' }])
    expect(shell.scripts.join()).not.toContain('secret')
    expect(shell.inputs[0]).toContain("<<'END__'")
    // Cut anywhere before its last line, the script does nothing.
    expect(shell.inputs[0]?.trimEnd().split('\n').at(-1)).toBe('write_files')
  })
})

describe('compressionPays', () => {
  it('for large files over connections that are slow or not known', () => {
    expect(compressionPays(127 << 20, null)).toBe(true)
    expect(compressionPays(127 << 20, 10 << 20)).toBe(true)
    expect(compressionPays(127 << 20, 100 << 20)).toBe(false)
    expect(compressionPays(1 << 20, null)).toBe(false)
  })
})
