import { createApp } from 'vue';
import { whenSignedOut } from './api/client';
import App from './App.vue';
import './base.css';
import { i18n } from './messages';
import { router } from './router';
import { forget } from './session';
import './tokens.css';

whenSignedOut(() => {
  forget();
  const here = router.currentRoute.value.path;
  if (here !== '/sign-in') void router.replace({ path: '/sign-in', query: here === '/' ? {} : { to: here } });
});

createApp(App).use(i18n).use(router).mount('#app');
