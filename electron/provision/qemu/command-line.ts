/** The arguments of QEMU for one machine. All files are named relative to the machine's folder, in which QEMU is started. */
import type { Accelerator } from './accelerator.ts'

export type GuestArchitecture = 'x64' | 'arm64'

/** How it starts: our own image with its kernel beside it, or whatever a cloud image's boot loader finds. */
export type Boot =
  | {
      readonly type: 'kernel'
      readonly kernel: string
      readonly initrd: string
      readonly append: string
      readonly credentials: readonly string[]
    }
  | { readonly type: 'firmware'; readonly firmware: string | null; readonly seed: string }

export interface QemuMachine {
  readonly name: string
  readonly uuid: string
  readonly architecture: GuestArchitecture
  readonly accelerator: Accelerator
  readonly cpus: number
  readonly memoryMib: number
  readonly boot: Boot
  /** Port on 127.0.0.1 that leads to the guest's SSH. */
  readonly sshPort: number
  /** Whether the guest reaches other networks. */
  readonly egress: boolean
  /** Of the card towards this computer, and of the one on the segment that the machines share. */
  readonly macs: { readonly out: string; readonly segment: string }
  /** The multicast group that is the shared segment. */
  readonly segment: { readonly group: string; readonly port: number }
  readonly qmpSocket: string
  readonly serialSocket: string
  /** Waits for `cont` before the first instruction. */
  readonly paused: boolean
}

/** In the machine's folder. */
export const FILES = { disk: 'disk.qcow2', serialLog: 'console.log', pid: 'qemu.pid', errors: 'qemu.log' } as const
/** The name of the disk's node: in snapshots and when its size is changed. */
export const DISK_NODE = 'disk'
/** Of the whole device, for `block_resize`. */
export const BALLOON = 'balloon0'

export function qemuArguments(machine: QemuMachine): string[] {
  const { architecture, accelerator, boot, macs, segment } = machine
  return [
    ...['-name', `guest=${machine.name}`, '-uuid', machine.uuid],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-machine', architecture === 'x64' ? 'q35,vmport=off' : 'virt,gic-version=max'],
    ...['-accel', accelerator === 'tcg' ? 'tcg,thread=multi,tb-size=256' : accelerator],
    ...['-cpu', accelerator === 'tcg' ? 'max' : 'host'],
    ...['-smp', String(machine.cpus), '-m', String(machine.memoryMib)],
    ...['-rtc', 'base=utc', '-pidfile', FILES.pid],
    ...(machine.paused ? ['-S'] : []),
    ...['-qmp', `unix:${escape(machine.qmpSocket)},server=on,wait=off`],
    ...['-chardev', `socket,id=serial,path=${escape(machine.serialSocket)},server=on,wait=off,logfile=${FILES.serialLog},logappend=on`],
    ...['-serial', 'chardev:serial'],
    ...['-blockdev', `driver=file,node-name=file,filename=${FILES.disk},discard=unmap`],
    ...['-blockdev', `driver=qcow2,node-name=${DISK_NODE},file=file,discard=unmap,detect-zeroes=unmap`],
    ...['-device', `virtio-blk-pci,id=disk0,drive=${DISK_NODE}`],
    ...['-netdev', `user,id=out,hostfwd=tcp:127.0.0.1:${machine.sshPort}-10.0.2.15:22${machine.egress ? '' : ',restrict=on'}`],
    ...['-device', `virtio-net-pci,netdev=out,mac=${macs.out},romfile=`],
    ...['-netdev', `socket,id=segment,mcast=${segment.group}:${segment.port},localaddr=127.0.0.1`],
    ...['-device', `virtio-net-pci,netdev=segment,mac=${macs.segment},romfile=`],
    ...['-device', 'virtio-rng-pci'],
    ...['-device', `virtio-balloon-pci,id=${BALLOON},free-page-reporting=on`],
    ...bootArguments(boot, architecture),
  ]
}

function bootArguments(boot: Boot, architecture: GuestArchitecture): string[] {
  if (boot.type === 'firmware')
    return [
      ...(boot.firmware === null ? [] : ['-bios', boot.firmware]),
      ...['-drive', `file=${escape(boot.seed)},if=virtio,format=raw,readonly=on`],
    ]
  const console = architecture === 'x64' ? 'ttyS0' : 'ttyAMA0'
  return [
    ...['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', `console=${console} ${boot.append}`],
    // From files: what is in the arguments can be read by every user of this computer.
    ...boot.credentials.flatMap((file) => ['-smbios', `type=11,path=${escape(file)}`]),
  ]
}

/** The kernel's words for our own image. An emulated processor is spared what guards real ones. */
export function kernelAppend(options: { name: string; machineId: string; accelerator: Accelerator }): string {
  const emulated = options.accelerator === 'tcg' ? ' mitigations=off nokaslr tsc=unstable no_timer_check' : ''
  return `root=/dev/vda rw quiet net.ifnames=0 systemd.hostname=${options.name} systemd.machine_id=${options.machineId}${emulated}`
}

/** In QEMU's option lists a comma is written twice. */
function escape(value: string): string {
  return value.replaceAll(',', ',,')
}
