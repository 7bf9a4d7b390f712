import type { TestHost } from './test-host.ts'

/** What a machine writes by itself or for whoever signs in. */
const VOLATILE = [
  ...['/proc', '/sys', '/dev', '/tmp', '/var/tmp', '/var/log', '/var/cache', '/var/lib/sudo', '/run/sudo', '/run/sshd', '/run/lab-*'],
  ...[
    '/run/utmp',
    '/run/motd.dynamic*',
    '/run/user',
    '/run/log',
    '/run/systemd',
    '/run/udev',
    '/run/credentials',
    '/run/dbus',
    '/run/lock',
  ],
  ...['/var/lib/systemd', '/var/lib/private', '/run/nft', '/etc/ld.so.cache'],
]

/** Every file, folder and link of a machine: "path type mode owner content", sorted. Two that are equal are so to the byte. */
export async function tree(host: TestHost): Promise<string[]> {
  const skip = VOLATILE.map((path) => `-path '${path}'`).join(' -o ')
  const text = await host.run(`cd /
find / \\( ${skip} \\) -prune -o -printf '%p %y %m %U:%G %l\\n' | grep -v '^/[^/]* ' > /tmp/tree
find /etc /home /root /opt /srv /var /run \\( ${skip} \\) -prune -o -type f -exec sha256sum {} + >> /tmp/tree
sort /tmp/tree; rm /tmp/tree`)
  return text.split('\n').filter(Boolean)
}

/** What is other: "+ path …" for what came, "- path …" for what went. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [had, has] = [new Set(before), new Set(after)]
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ]
}
