import './styles/tokens.css'
import './styles/base.css'
import { createPinia } from 'pinia'
import { createApp, watch } from 'vue'
import App from './App.vue'
import { reloadWhenStale } from './frame/stale.ts'
import { FACE, pickFace } from './face/index.ts'
import { i18n, speak } from './i18n/index.ts'
import { language } from './i18n/language.ts'
import { router } from './router/index.ts'
import { usePrefs } from './stores/prefs.ts'

reloadWhenStale(window)
const app = createApp(App).provide(FACE, pickFace()).use(createPinia()).use(i18n).use(router)
const prefs = usePrefs()
watch(language, (now) => (document.documentElement.lang = now), { immediate: true })
watch(
  () => prefs.shownLanguage,
  (next) => void speak(next, () => prefs.shownLanguage === next),
)
// The first thing that is seen is in the right language already.
void speak(prefs.shownLanguage).finally(() => app.mount('#app'))
