import { createI18n } from 'vue-i18n';
import en from './en.json';
import zh from './zh-CN.json';

export type Language = 'zh-CN' | 'en';

const KEPT = 'gw.language';

const kept = (): Language => (localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh-CN');

export const i18n = createI18n({
  legacy: false,
  locale: kept(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en },
});

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language;
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
}

document.documentElement.lang = kept();
