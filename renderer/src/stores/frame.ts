import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

/** Which of the frame's own overlays are open. */
export const useFrame = defineStore('frame', () => {
  const palette = ref(false)
  /** What the palette starts with: ":" goes to a kind. */
  const paletteText = ref('')
  const keyHelp = ref(false)
  const calls = ref(false)
  const drawer = ref(false)
  /** A dialog that any page may open. */
  const addMachine = ref(false)
  /** The machine whose set-up the dialog shows; "" for a new one. */
  const addMachineName = ref('')
  /** Nodes and machines that a dialog is open for; "" for none. */
  const drainNode = ref('')
  const removeMachine = ref('')
  const importImages = ref(false)
  /** Files that were dropped on the window, for the page or dialog that takes them. */
  const droppedYaml = shallowRef<{ name: string; text: string } | null>(null)
  const droppedArchive = shallowRef<File | null>(null)

  function openPalette(text = ''): void {
    paletteText.value = text
    palette.value = true
  }
  /** For a new machine, or for one whose set-up goes on or has stopped. */
  function openMachine(name = ''): void {
    addMachineName.value = name
    addMachine.value = true
  }
  return {
    palette,
    paletteText,
    keyHelp,
    calls,
    drawer,
    addMachine,
    addMachineName,
    drainNode,
    removeMachine,
    importImages,
    droppedYaml,
    droppedArchive,
    openPalette,
    openMachine,
  }
})
