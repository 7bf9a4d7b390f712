/** Virtual machines on the computer that runs the control plane. They are started, stopped and suspended by their Machine's `spec.qemu.power`. */
import * as v from 'valibot'
import { call, nothing, stream } from './channel.ts'

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(253))
const named = v.object({ name })
const label = v.pipe(v.string(), v.minLength(1), v.maxLength(63))
const bytes = v.pipe(v.number(), v.integer(), v.minValue(0))
const snapshot = v.object({
  name: v.string(),
  /** RFC 3339. */
  createdAt: v.string(),
  /** Bytes of memory in it; 0: of the disk alone. */
  memoryBytes: bytes,
})

export const VM_CHANNELS = {
  /** What this computer can do, and what it has. */
  'vm.support': call(
    nothing,
    v.object({
      /** Absent: virtual machines cannot be made; `lacks` says why. */
      accelerator: v.optional(v.picklist(['kvm', 'hvf', 'tcg'])),
      lacks: v.optional(v.string()),
      /** Whether Flotilla's own image is there; else making the first machine builds it, if `cannotBuild` does not say why not. */
      imageReady: v.boolean(),
      cannotBuild: v.optional(v.string()),
      cpus: v.number(),
      memoryBytes: bytes,
      /** Free on the disk of the state folder. */
      diskBytes: bytes,
    }),
  ),
  /** Makes the Machine object and starts the work; progress is in its status. */
  'vm.add': call(
    v.object({
      name: v.optional(name),
      cpus: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
      memoryBytes: v.optional(bytes),
      diskBytes: v.optional(bytes),
      image: v.optional(v.object({ url: v.string(), sha256: v.string() })),
    }),
    named,
  ),
  'vm.reboot': call(v.object({ name, hard: v.optional(v.boolean()) }), v.object({})),
  /** The end of what its serial line printed. */
  'vm.log': call(v.object({ name, bytes: v.optional(bytes) }), v.object({ text: v.string() })),
  /** Its serial line, both ways, as bytes; one at a time. */
  'vm.console': stream(named, v.object({ type: v.literal('stdin') }), v.object({ type: v.literal('stdout') })),
  'vm.disk': call(named, v.object({ usedBytes: bytes, snapshots: v.array(snapshot) })),
  /** Of the disk and, if it runs, of its memory. */
  'vm.snapshot': call(v.object({ name, label }), v.object({})),
  /** Puts disk and memory back to what they were. */
  'vm.restore': call(v.object({ name, label }), v.object({})),
  'vm.deleteSnapshot': call(v.object({ name, label }), v.object({})),
  /** Gives back what the disk of a stopped machine does not need. */
  'vm.compact': call(named, v.object({ before: bytes, after: bytes })),
} as const
