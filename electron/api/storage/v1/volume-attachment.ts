import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { forbidden, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { nameIsDnsSubdomain } from '../../values/names.ts'
import { csiDriverName } from '../../core/v1/pod-spec/volume-sources.ts'
import type { VolumeAttachment, VolumeAttachmentSource } from './types.gen.ts'

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  resource: 'volumeattachments',
  namespaced: false,
  model: 'io.k8s.api.storage.v1.VolumeAttachment',
  subresources: { status: true },
  columns: [
    { name: 'Attacher', type: 'string', description: 'Driver that attaches', value: ({ spec }) => spec.attacher },
    { name: 'PV', type: 'string', description: 'What is attached', value: ({ spec }) => spec.source.persistentVolumeName ?? '' },
    { name: 'Node', type: 'string', description: 'Node that it is attached to', value: ({ spec }) => spec.nodeName },
    { name: 'Attached', type: 'boolean', description: 'Whether it is', value: ({ status }) => status.attached ?? false },
    ageColumn,
  ],
  strategy: {
    prepareForCreate(attachment) {
      attachment.status = { attached: false }
    },
    validate: ({ spec }) => [
      ...csiDriverName(spec.attacher, 'spec.attacher'),
      ...validateSource(spec.source, 'spec.source'),
      ...(spec.nodeName ? invalidEach('spec.nodeName', spec.nodeName, nameIsDnsSubdomain(spec.nodeName)) : [required('spec.nodeName')]),
    ],
    validateUpdate: ({ spec }, old) => immutable('spec', spec, old.spec),
  },
})

function validateSource({ inlineVolumeSpec, persistentVolumeName: name }: VolumeAttachmentSource, field: string): FieldError[] {
  if (inlineVolumeSpec && name !== undefined)
    return [forbidden(field, 'only one of `inlineVolumeSpec` and `persistentVolumeName` may be specified')]
  if (inlineVolumeSpec) return []
  if (name === undefined) return [required(field, 'must specify one of `inlineVolumeSpec` and `persistentVolumeName`')]
  return name ? [] : [required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName')]
}
