import './styles/tokens.css'
import './styles/base.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { reloadWhenStale } from './frame/stale.ts'
import { FACE, pickFace } from './face/index.ts'
import { i18n } from './i18n/index.ts'
import { router } from './router/index.ts'

reloadWhenStale(window)
createApp(App).provide(FACE, pickFace()).use(createPinia()).use(i18n).use(router).mount('#app')
