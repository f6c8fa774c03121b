import { createRouter, createWebHistory } from 'vue-router';
import type { Role } from './api/types';
import { HOME, whoAmI } from './session';

declare module 'vue-router' {
  interface RouteMeta {
    theme: 'light' | 'dark';
    /** Who may open it; absent: everybody, signed in or not. */
    roles?: Role[];
  }
}

const COMMAND: Role[] = ['leader', 'operator', 'administrator'];

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/sign-in', component: () => import('./pages/sign-in/SignInPage.vue'), meta: { theme: 'light' } },
    { path: '/', component: () => import('./pages/command/CommandPage.vue'), meta: { theme: 'dark', roles: COMMAND } },
    { path: '/worker', component: () => import('./pages/worker/WorkerPage.vue'), meta: { theme: 'light', roles: ['worker'] } },
    {
      path: '/incidents',
      component: () => import('./pages/incidents/IncidentsPage.vue'),
      meta: { theme: 'light', roles: ['analyst', 'leader', 'operator', 'administrator'] },
    },
    {
      path: '/analysis',
      component: () => import('./pages/analysis/AnalysisPage.vue'),
      meta: { theme: 'light', roles: ['analyst', 'leader', 'operator', 'administrator'] },
    },
    {
      path: '/assessment',
      component: () => import('./pages/assessment/AssessmentPage.vue'),
      meta: { theme: 'light', roles: ['analyst', 'leader', 'operator', 'administrator'] },
    },
    {
      path: '/coverage',
      component: () => import('./pages/coverage/CoveragePage.vue'),
      meta: { theme: 'light', roles: ['analyst', 'leader', 'operator', 'administrator'] },
    },
    {
      path: '/settings',
      component: () => import('./pages/settings/SettingsPage.vue'),
      meta: { theme: 'light', roles: ['operator', 'administrator'] },
    },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
});

router.beforeEach(async (to) => {
  const roles = to.meta.roles;
  if (!roles) return true;
  const person = await whoAmI();
  if (!person) return { path: '/sign-in', query: to.path === '/' ? {} : { to: to.path } };
  return roles.includes(person.role) ? true : HOME[person.role];
});

router.afterEach((to) => {
  document.documentElement.dataset['theme'] = to.meta.theme;
  document.documentElement.classList.toggle('dark', to.meta.theme === 'dark');
});

// After an update the files an open page would still load are gone: open the new page instead, once.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem('gw.reloaded') ?? 0);
  if (Date.now() - last < 30_000) return;
  sessionStorage.setItem('gw.reloaded', String(Date.now()));
  event.preventDefault();
  location.reload();
});
