/** SSH servers of one test host, each with a configuration of its own beside the host's usual one. */
import { until } from './lab.ts'
import type { TestHost } from './test-host.ts'

export interface SshServer extends AsyncDisposable {
  readonly port: number
  /** What it wrote down so far. */
  log(): Promise<string>
  /** Ends the connections that it has now, as when the network equipment between forgets them. */
  drop(): Promise<void>
}

const USUAL = [
  'HostKey /etc/ssh/ssh_host_ed25519_key',
  'UsePAM no',
  'PermitRootLogin yes',
  'PasswordAuthentication yes',
  'KbdInteractiveAuthentication no',
  'UseDNS no',
  'LogLevel VERBOSE',
]

/** Starts sshd on a port with these lines, which count before the usual ones. */
export async function startSshServer(host: TestHost, port: number, lines: readonly string[]): Promise<SshServer> {
  const base = `/run/lab-sshd-${port}`
  const config = [...lines, ...USUAL, `Port ${port}`, `PidFile ${base}.pid`].join('\n')
  await host.run(`cat > ${base}.conf <<'X'\n${config}\nX\n/usr/sbin/sshd -f ${base}.conf -E ${base}.log`)
  await until('sshd listens', async () => (await host.exec(`ss -Hltn 'sport = :${port}' | grep -q .`)).code === 0)
  const children = `ps -o pid= --ppid $(cat ${base}.pid)`
  return {
    port,
    log: () => host.run(`cat ${base}.log`),
    drop: async () => void (await host.exec(`for p in $(${children}); do kill -9 $p $(ps -o pid= --ppid $p); done`)),
    async [Symbol.asyncDispose]() {
      await host.exec(
        `main=$(cat ${base}.pid); all=$(${children}); kill $main; for p in $all; do kill -9 $p $(ps -o pid= --ppid $p); done; rm -f ${base}.*`,
      )
    },
  }
}
