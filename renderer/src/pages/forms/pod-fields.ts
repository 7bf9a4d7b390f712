/** The fields of pods and of what has a pod's template. */
import type { Field, FormSection, Path } from './form-spec.ts'

const quantity = (path: Path, label: 'form.cpuRequest' | 'form.cpuLimit' | 'form.memoryRequest' | 'form.memoryLimit'): Field => ({
  ...{ input: 'text', path, label, check: 'quantity', mono: true },
  placeholder: label.startsWith('form.cpu') ? '100m' : '128Mi',
})

const ENV: Field = {
  ...{ input: 'many', path: ['env'], label: 'form.env', add: 'form.addEnv', make: { name: '', value: '' } },
  of: [
    { input: 'text', path: ['name'], label: 'form.variable', required: true, mono: true },
    { input: 'text', path: ['value'], label: 'form.value' },
  ],
}

const CONTAINER: readonly Field[] = [
  { input: 'text', path: ['image'], label: 'form.image', required: true, mono: true, placeholder: 'nginx:1.29' },
  { input: 'text', path: ['name'], label: 'form.containerName', required: true, check: 'name' },
  { input: 'words', path: ['command'], label: 'form.command', help: 'form.commandHelp' },
  { input: 'words', path: ['args'], label: 'form.args' },
  {
    ...{ input: 'many', path: ['ports'], label: 'form.ports', add: 'form.addPort', make: { containerPort: 80 } },
    of: [
      { input: 'number', path: ['containerPort'], label: 'form.port', required: true, min: 1, max: 65_535 },
      { input: 'text', path: ['name'], label: 'form.portName', check: 'name' },
    ],
  },
  ENV,
  quantity(['resources', 'requests', 'cpu'], 'form.cpuRequest'),
  quantity(['resources', 'limits', 'cpu'], 'form.cpuLimit'),
  quantity(['resources', 'requests', 'memory'], 'form.memoryRequest'),
  quantity(['resources', 'limits', 'memory'], 'form.memoryLimit'),
]

/** Containers and what concerns the pod whole; `spec` is where its spec is. */
export function podSections(spec: Path, restart: readonly string[]): FormSection[] {
  return [
    {
      title: 'form.section.containers',
      fields: [
        {
          ...{ input: 'many', path: [...spec, 'containers'], label: 'form.containers', add: 'form.addContainer', required: true },
          ...{ of: CONTAINER, make: { name: '', image: '' } },
        },
      ],
    },
    {
      title: 'form.section.pod',
      fields: [
        ...(restart.length > 1
          ? [{ input: 'select' as const, path: [...spec, 'restartPolicy'], label: 'form.restartPolicy' as const, options: restart }]
          : []),
        { input: 'text', path: [...spec, 'serviceAccountName'], label: 'form.serviceAccount', check: 'name' },
        { input: 'pairs', path: [...spec, 'nodeSelector'], label: 'form.nodeSelector' },
        { input: 'text', path: [...spec, 'priorityClassName'], label: 'form.priorityClass', check: 'name' },
      ],
    },
  ]
}

export const container = (image = '') => ({ containers: [{ name: 'app', image }] })
