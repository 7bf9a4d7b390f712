/** What a test host runs to come up: first in its control groups and namespaces, then as its PID 1. */
import { readFile } from 'node:fs/promises'

export interface HostScriptOptions {
  readonly name: string
  readonly dir: string
  readonly base: string
  readonly address: string
  readonly port: number
  readonly systemd: boolean
  readonly diskMebibytes: number | null
  readonly sshd: readonly string[]
  readonly authorizedKey: string
}

interface Group {
  mount: string
  place: string
  type: string
  options: string
}

export async function hostScript(options: HostScriptOptions): Promise<string> {
  const groups = await hierarchies()
  const name = groupName(options)
  return `set -e
${groups
  .map(
    ({ mount, options: names }) => `mkdir -p ${mount}/${name}
${names.includes('cpuset') ? `for f in cpuset.cpus cpuset.mems; do cat ${mount}/$f > ${mount}/${name}/$f; done; echo 1 > ${mount}/${name}/cgroup.clone_children` : ''}
echo $$ > ${mount}/${name}/cgroup.procs`,
  )
  .join('\n')}
exec setsid unshare --net --mount --propagation private --uts --ipc --cgroup --pid --fork sh ${options.dir}/boot.sh init
`.replace('set -e\n', `set -e\nif [ "\${1:-}" = init ]; then\n${initScript(options, groups)}\nfi\n`)
}

export function groupName({ dir }: { dir: string }): string {
  return dir.replace(/^.*\/(lab-[^/]+)\/([^/]+)$/, '$1-$2')
}

export async function hierarchies(): Promise<Group[]> {
  const mounts = await readFile('/proc/mounts', 'utf8')
  const seen = new Set<string>()
  return mounts.split('\n').flatMap((line) => {
    const [, mount = '', type = '', flags = ''] = line.split(' ')
    if (!type.startsWith('cgroup') || seen.has(mount)) return []
    seen.add(mount)
    const own = flags.split(',').filter((flag) => !['rw', 'relatime', 'nosuid', 'nodev', 'noexec'].includes(flag))
    const named = own.some((flag) => flag.startsWith('name='))
    return [{ mount, place: mount.replace('/sys/fs/cgroup', ''), type, options: `${named ? 'none,' : ''}${own.join(',')}` }]
  })
}

function initScript(options: HostScriptOptions, groups: readonly Group[]): string {
  const { dir, base, name } = options
  const root = `${dir}/root`
  const disk = options.diskMebibytes
  return `
read -r pid rest < /proc/self/stat
hostname ${name}
mount -t overlay overlay -o lowerdir=${base},upperdir=${dir}/rw,workdir=${dir}/work ${root}
${
  disk === null
    ? `mount --bind ${dir}/var ${root}/var`
    : `mount -t tmpfs -o size=${disk}m,mode=755 disk ${root}/mnt
mkdir ${root}/mnt/var ${root}/mnt/opt
cp -a ${dir}/var/. ${root}/mnt/var
mount --bind ${root}/mnt/var ${root}/var
mount --bind ${root}/mnt/opt ${root}/opt
umount -l ${root}/mnt`
}
mount -t proc proc ${root}/proc
mount -t sysfs sysfs ${root}/sys
mount -t tmpfs -o mode=755 tmpfs ${root}/run
mount -t tmpfs -o mode=1777 tmpfs ${root}/tmp
mount -t tmpfs -o mode=755 tmpfs ${root}/dev
mkdir -p ${root}/dev/pts ${root}/dev/shm ${root}/dev/net ${root}/dev/mqueue
for d in null zero full random urandom tty fuse net/tun; do
  [ ! -e /dev/$d ] || { : > ${root}/dev/$d; mount --bind /dev/$d ${root}/dev/$d; }
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts ${root}/dev/pts
ln -s pts/ptmx ${root}/dev/ptmx
ln -s /proc/self/fd ${root}/dev/fd
mount -t tmpfs tmpfs ${root}/dev/shm
${groups.some((group) => group.place === '') ? '' : `mount -t tmpfs -o mode=755 tmpfs ${root}/sys/fs/cgroup`}
${groups
  .map(
    ({ place, type, options: names }) =>
      `mkdir -p ${root}/sys/fs/cgroup${place}; mount -t ${type} ${names ? `-o ${names}` : ''} cgroup ${root}/sys/fs/cgroup${place}`,
  )
  .join('\n')}
cd ${root}
echo ${name} > etc/hostname
printf '127.0.0.1 localhost\\n${options.address} ${name}\\n' > etc/hosts
[ -s etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > etc/machine-id
for home in root home/ana home/bob home/eve; do
  mkdir -p $home/.ssh
  [ -e $home/.ssh/authorized_keys ] || printf '%s\\n' '${options.authorizedKey}' > $home/.ssh/authorized_keys
  chmod 700 $home/.ssh
  chmod 600 $home/.ssh/authorized_keys
done
mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
for home in ana bob eve; do chown -R $home: /home/$home/.ssh; done
[ -f /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
cat > /etc/ssh/sshd_config <<'X'
${options.sshd.join('\n')}
Port ${options.port}
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM ${options.systemd ? 'yes' : 'no'}
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UseDNS no
Subsystem sftp internal-sftp
X
echo "pid $pid"
exec < /dev/null > /var/log/boot.log 2>&1
${
  options.systemd
    ? `mount -o remount,bind,ro /sys
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd`
    : `mkdir -p /run/sshd /run/lock
trap 'exit 0' TERM
while :; do
  /usr/sbin/sshd -D &
  wait $!
  sleep 1
done`
}
`
}
